import type { JsonObject, JsonValue } from '../../model.ts';
import { NotionError } from './errors.ts';
import type { Property } from './schema.ts';
import { invalid, LIMITS, list, object, only, text } from './validate.ts';
import { type NotionDataSource, type NotionPage, plainText } from './workspace.ts';

/** Property types whose filters take words. */
const TEXTS: readonly string[] = ['title', 'rich_text', 'url', 'email', 'phone_number'];

/**
 * Judges the body of a query, and answers it: developers.notion.com/reference/query-a-data-source. One filter on a property
 * of text, of type select or of type number; sorts by time only.
 * @param pages those of the data source that are not in the trash, oldest first
 */
export function queryPages(
  source: NotionDataSource,
  pages: NotionPage[],
  given: unknown,
): { found: NotionPage[]; next: string | undefined } {
  const body = object(given ?? {}, 'body');
  only(body, 'body', ['filter', 'sorts', 'page_size', 'start_cursor']);
  const size = body.page_size ?? 100;
  if (!Number.isInteger(size) || Number(size) < 1 || Number(size) > 100)
    throw invalid('body.page_size', '≤ `100`', size);
  const keep = body.filter === undefined ? () => true : filterOf(source, object(body.filter, 'body.filter'));
  const all = sorted(pages.filter(keep), body.sorts);
  const from = body.start_cursor === undefined ? 0 : all.findIndex((page) => page.id === body.start_cursor);
  if (from < 0) throw new NotionError(400, 'validation_error', 'The start_cursor provided is invalid.');
  const next = all[from + Number(size)]?.id;
  return { found: all.slice(from, from + Number(size)), next };
}

function filterOf(source: NotionDataSource, filter: JsonObject): (page: NotionPage) => boolean {
  const property = [...source.properties.values()].find(({ id, name }) => [id, name].includes(String(filter.property)));
  if (!property) {
    const message = `Could not find property with name or id: ${filter.property}`;
    throw new NotionError(400, 'validation_error', message);
  }
  const { name, type } = property;
  if (!Object.hasOwn(filter, type)) {
    const given = Object.keys(filter).find((key) => key !== 'property' && key !== 'type');
    const message = `database property ${type} does not match filter ${given}`;
    throw new NotionError(400, 'validation_error', message);
  }
  only(filter, 'body.filter', ['property', 'type', type]);
  const path = `body.filter.${type}`;
  const condition = object(filter[type], path);
  const [[operator, value] = ['', null], ...more] = Object.entries(condition);
  if (more.length > 0) throw invalid(path, 'one condition', condition);
  const fits = conditionOf(property, operator, value, path);
  return (page) => fits(page.values.get(name));
}

function conditionOf(
  property: Property,
  operator: string,
  value: JsonValue,
  path: string,
): (held: JsonValue | undefined) => boolean {
  const { name, type, options } = property;
  const at = `${path}.${operator}`;
  if (TEXTS.includes(type)) {
    only({ [operator]: value }, path, ['equals', 'starts_with']);
    const words = text(value, at, LIMITS.text, 1);
    if (operator === 'equals') return (held) => plainText(held) === words;
    return (held) => plainText(held).startsWith(words);
  }
  only({ [operator]: value }, path, ['equals']);
  if (type === 'number') {
    if (typeof value !== 'number') throw invalid(at, 'a number', value);
    return (held) => held === value;
  }
  if (type !== 'select') throw invalid(path, 'a filter that this stand-in knows', type);
  const label = text(value, at, LIMITS.option, 1);
  if (!options.some((option) => option.name === label)) {
    const known = options.map((option) => `"${option.name}"`).join(', ');
    const message = `select option "${label}" not found for property "${name}". Available options: ${known}.`;
    throw new NotionError(400, 'validation_error', message);
  }
  return (held) => plainText(held) === label;
}

/** Without sorts, Notion promises no order: here it is not that in which the pages were made. */
function sorted(pages: NotionPage[], sorts: JsonValue | undefined): NotionPage[] {
  if (sorts === undefined) return pages.toReversed();
  const orders = list(sorts, 'body.sorts').map((element, index) => {
    const path = `body.sorts[${index}]`;
    const sort = object(element, path);
    only(sort, path, ['timestamp', 'direction']);
    const { timestamp, direction } = sort;
    if (timestamp !== 'created_time' && timestamp !== 'last_edited_time') {
      throw invalid(`${path}.timestamp`, '`"created_time"` or `"last_edited_time"`', timestamp);
    }
    if (direction !== 'ascending' && direction !== 'descending') {
      throw invalid(`${path}.direction`, '`"ascending"` or `"descending"`', direction);
    }
    const of = (page: NotionPage) => Date.parse(timestamp === 'created_time' ? page.createdTime : page.editedTime);
    return (a: NotionPage, b: NotionPage) => (direction === 'ascending' ? of(a) - of(b) : of(b) - of(a));
  });
  return pages.toSorted((a, b) => orders.map((order) => order(a, b)).find((difference) => difference !== 0) ?? 0);
}
