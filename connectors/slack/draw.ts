import { clip, type Drawn, type JsonObject, type JsonValue, pieces } from 'versive-relay/connector';
import { unescapeMarkup } from './markup.ts';

const WIDTH = 76;
/** Of one of two columns. */
const COLUMN = 36;
/** What is shown of one long text. */
const SHOWN = 600;

type Line = Drawn[];

/** A message as Slack shows it: its blocks, or its text when it has none. */
export function drawMessage({ text, blocks }: { text: string; blocks: JsonObject[] }): Line[] {
  if (blocks.length === 0) return drawMarkup(text);
  const drawn = blocks.map(drawBlock).filter((lines) => lines.length > 0);
  return drawn.flatMap((lines, index) => (index > 0 ? [[], ...lines] : lines));
}

const BAR = '┃ ';

function drawBlock(block: JsonObject): Line[] {
  const elements = list(block.elements);
  switch (block.type) {
    case 'header':
      return lines(words(block.text)).map((text): Line => [{ bold: text }]);
    case 'section':
      return [
        ...drawText(block.text),
        ...drawFields(list(block.fields)),
        ...drawButtons([block.accessory].filter(isObject)),
      ];
    case 'context':
      return lines(elements.map(words).filter(Boolean).join('  ')).map((text): Line => [{ dim: text }]);
    case 'actions':
      return drawButtons(elements);
    case 'divider':
      return [[{ dim: '─'.repeat(WIDTH) }]];
    case 'rich_text':
      return elements.flatMap((part) => drawRich(part));
    case 'markdown':
      return lines(words(block)).map((text): Line => [text]);
    default:
      return [[{ dim: `(${String(block.type)}) ` }, clip(words(block.title) || words(block.alt_text), WIDTH - 20)]];
  }
}

function drawText(text: JsonValue | undefined): Line[] {
  if (!isObject(text)) return [];
  return text.type === 'mrkdwn' ? drawMarkup(words(text)) : lines(words(text)).map((each): Line => [each]);
}

/** Label over value, two side by side, as they stand in Slack. */
function drawFields(fields: JsonObject[]): Line[] {
  const cells = fields.map((field): [label: string, value: string] => {
    const [label = '', ...value] = words(field).split('\n');
    const shown = (text: string) => (field.type === 'mrkdwn' ? readable(text).replaceAll('*', '') : text);
    return [clip(shown(label), COLUMN), clip(shown(value.join(' ')), COLUMN)];
  });
  const rows: Line[] = [];
  while (cells.length > 0) {
    const [[name, value] = ['', ''], [otherName, otherValue] = ['', '']] = cells.splice(0, 2);
    rows.push([{ bold: name.padEnd(COLUMN + 2) }, { bold: otherName }], [value.padEnd(COLUMN + 2), otherValue]);
  }
  return rows;
}

function drawButtons(elements: JsonObject[]): Line[] {
  return elements.map((element): Line => {
    const address = typeof element.url === 'string' ? ` ${element.url}` : '';
    return [{ bold: `[ ${words(element.text) || String(element.type)} ]` }, { dim: address }];
  });
}

/** Text between `*…*` stands out; links show their words. */
function drawMarkup(markup: string): Line[] {
  return lines(readable(markup)).map((text) =>
    text
      .split(/(?<![\w*])(\*[^*\n]+\*)(?![\w*])/)
      .map((part): Drawn => (/^\*.+\*$/.test(part) ? { bold: part.slice(1, -1) } : part)),
  );
}

/** Links as their words, escapes as what they stand for. */
function readable(markup: string): string {
  return unescapeMarkup(markup.replace(/<([^<>|]*)\|([^<>]*)>/g, '$2').replace(/<([^<>]*)>/g, '$1'));
}

function drawRich(part: JsonObject): Line[] {
  const inner = list(part.elements);
  if (part.type === 'rich_text_list') return inner.flatMap((entry) => hung('• ', '  ', drawRich(entry)));
  const text = inner.map((each) => words(each) || String(each.url ?? '')).join('');
  const drawn = lines(text, WIDTH - BAR.length).map((each): Line => [each]);
  return part.type === 'rich_text_quote' ? hung({ dim: BAR }, { dim: BAR }, drawn) : drawn;
}

function hung(first: Drawn, rest: Drawn, drawn: Line[]): Line[] {
  return drawn.map((line, index) => [index === 0 ? first : rest, ...line]);
}

function lines(text: string, width = WIDTH): string[] {
  return clip(text, SHOWN)
    .split('\n')
    .flatMap((line) => pieces(line, width).map((piece) => piece.trimEnd()));
}

/** The text of a text object, an element or a block. */
function words(value: JsonValue | undefined): string {
  if (!isObject(value)) return '';
  return typeof value.text === 'string' ? value.text : isObject(value.text) ? words(value.text) : '';
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
