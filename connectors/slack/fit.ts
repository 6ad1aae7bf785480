import { clip, type JsonObject, type JsonValue } from 'versive-relay/connector';
import { clipMarkup, LIMIT, unescapeMarkup } from './markup.ts';

/** A message text of the config's own making, rendered, within Slack's limits. */
export function fitMessage(text: string): string {
  return clipMarkup(text.toWellFormed(), LIMIT.text);
}

/**
 * Blocks of the config's own making, rendered: each text is cut to Slack's limit, what a missing field left empty is
 * dropped, and all texts get shorter until the whole fits. Should that not do, the last blocks go.
 */
export function fitBlocks(rendered: JsonValue): JsonObject[] {
  const list = (Array.isArray(rendered) ? rendered : blocksOf(rendered)).filter(isObject);
  let fitted: JsonObject[] = [];
  for (let share = 1; share > 1 / 100; share /= 2) {
    fitted = list.flatMap((block) => fitBlock(block, share)).slice(0, LIMIT.blocks);
    if (isShortEnough(fitted)) return fitted;
  }
  while (fitted.length > 0 && !isShortEnough(fitted)) fitted.pop();
  return fitted;
}

function isShortEnough(blocks: JsonObject[]): boolean {
  return JSON.stringify(blocks).length <= LIMIT.total;
}

/** The list of blocks in `blocks:`, also as Block Kit Builder gives it (`{"blocks": […]}`). */
export function blocksOf(source: JsonValue): JsonValue[] {
  if (Array.isArray(source)) return source;
  return isObject(source) && Array.isArray(source.blocks) ? source.blocks : [];
}

function fitBlock(block: JsonObject, share: number): JsonObject[] {
  const cut = (value: JsonValue | undefined, limit: number) => fitText(value, Math.floor(limit * share));
  const each = (value: JsonValue | undefined, most: number, limit: number) =>
    (Array.isArray(value) ? value : [])
      .filter(isObject)
      .flatMap((entry) => (typeof entry.text === 'string' ? cut(entry, limit) : fitElement(entry)))
      .slice(0, most);
  switch (block.type) {
    case 'header':
      return cut(block.text, LIMIT.header).map((text) => ({ ...block, text }));
    case 'section': {
      const { text: _text, fields: _fields, accessory: _accessory, ...rest } = block;
      const [text] = cut(block.text, LIMIT.section);
      const fields = each(block.fields, LIMIT.fields, LIMIT.field);
      if (text === undefined && fields.length === 0) return [];
      const [accessory] = isObject(block.accessory) ? fitElement(block.accessory) : [];
      return [
        { ...rest, ...(text && { text }), ...(fields.length > 0 && { fields }), ...(accessory && { accessory }) },
      ];
    }
    case 'context':
    case 'actions': {
      const most = block.type === 'context' ? LIMIT.contextElements : LIMIT.actions;
      const elements = each(block.elements, most, LIMIT.section);
      return elements.length === 0 ? [] : [{ ...block, elements }];
    }
    case 'image':
      return fitElement(block);
    case 'markdown':
      return typeof block.text === 'string' && block.text.trim() !== ''
        ? [{ ...block, text: clipMarkup(block.text, Math.floor(LIMIT.markdown * share)) }]
        : [];
    case 'rich_text': {
      const elements = fitRichText(block.elements ?? [], Math.floor(LIMIT.section * share));
      return Array.isArray(elements) && elements.length > 0 ? [{ ...block, elements }] : [];
    }
    default:
      return [block];
  }
}

/** A text object; none when it is empty, for Slack takes no empty text. */
function fitText(value: JsonValue | undefined, limit: number): JsonObject[] {
  if (!isObject(value) || typeof value.text !== 'string') return value === undefined ? [] : [value as JsonObject];
  const text = value.type === 'plain_text' ? clip(unescapeMarkup(value.text), limit) : clipMarkup(value.text, limit);
  return text.trim() === '' ? [] : [{ ...value, text }];
}

/** A button or image; none when its address came out empty. */
function fitElement(element: JsonObject): JsonObject[] {
  const address = element.type === 'image' ? element.image_url : element.url;
  if (address === '') return [];
  const text = fitText(element.text, LIMIT.button)[0];
  const title = fitText(element.title, LIMIT.title)[0];
  const plain = typeof address === 'string' ? unescapeMarkup(address) : undefined;
  return [
    {
      ...element,
      ...(text && { text }),
      ...(title && { title }),
      ...(plain !== undefined && { [element.type === 'image' ? 'image_url' : 'url']: plain }),
    },
  ];
}

function fitRichText(value: JsonValue, limit: number): JsonValue {
  if (Array.isArray(value)) {
    return value.map((entry) => fitRichText(entry, limit)).filter((entry) => !isObject(entry) || entry.text !== '');
  }
  if (!isObject(value)) return value;
  const text = typeof value.text === 'string' ? { text: clip(unescapeMarkup(value.text), limit) } : {};
  const url = typeof value.url === 'string' ? { url: unescapeMarkup(value.url) } : {};
  const elements = value.elements === undefined ? {} : { elements: fitRichText(value.elements, limit) };
  return { ...value, ...text, ...url, ...elements };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
