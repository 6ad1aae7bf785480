import { clip, type Drawn, type JsonObject, pieces } from 'versive-relay/connector';

const WIDTH = 76;
/** Characters that are shown of a property, and of a block. */
const SHOWN = 300;
/** Blocks inside a toggle that are shown. */
const INSIDE = 4;

type Line = Drawn[];

/** A page as Notion shows it: its properties, and the first of its blocks. */
export function drawPage({ properties, children }: { properties: unknown; children: object[] | undefined }): Line[] {
  const entries = Object.entries(isObject(properties) ? properties : { Properties: properties });
  const width = Math.min(24, Math.max(...entries.map(([name]) => name.length)));
  const rows = entries.flatMap(([name, value]) => {
    const text = isObject(value) ? (richWords(value) ?? JSON.stringify(value)) : String(value ?? '');
    return lines(text, WIDTH - width - 2).map(
      (line, index): Line => [{ bold: (index === 0 ? clip(name, width) : '').padEnd(width + 2) }, line],
    );
  });
  return [...rows, ...(children ? [[], ...drawBlocks(children)] : [])];
}

function drawBlocks(blocks: object[]): Line[] {
  return blocks.flatMap((block) => {
    const { type = '', ...rest } = block as { type?: string } & Record<string, JsonObject>;
    const content = rest[type] ?? {};
    const text = richWords(content) ?? '';
    if (type === 'quote') return lines(text, WIDTH - 2).map((line): Line => [{ dim: '┃ ' }, line]);
    if (!type.startsWith('heading')) return lines(text, WIDTH).map((line): Line => [line]);
    const inside = Array.isArray(content.children) ? (content.children as object[]) : [];
    const more = inside.length - INSIDE;
    return [
      [{ bold: `${content.is_toggleable ? '▸ ' : ''}${clip(text, WIDTH - 2)}` }],
      ...drawBlocks(inside.slice(0, INSIDE)).map((line): Line => ['  ', ...line]),
      ...(more > 0 ? [[{ dim: `  … and ${more} more blocks` }]] : []),
    ];
  });
}

/** The words of a block's content, or of a property, whatever it calls its rich text. */
function richWords(content: JsonObject): string | undefined {
  const items = [content.rich_text, content.title].find((value) => Array.isArray(value));
  return items?.map((item) => (isObject(item) && isObject(item.text) ? String(item.text.content ?? '') : '')).join('');
}

function lines(text: string, width: number): string[] {
  return clip(text, SHOWN)
    .split('\n')
    .flatMap((line) => pieces(line, width).map((piece) => piece.trimEnd()));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
