import { invalid } from './errors.ts';

/** A field mask as a tree: `sheets.properties(sheetId,title)`. An empty branch takes all that is under it. */
interface Mask {
  [field: string]: Mask;
}

/**
 * What the `fields` parameter leaves of an answer.
 * @throws GoogleRefusal when the mask cannot be read
 */
export function select(answer: unknown, fields: string | undefined): unknown {
  if (fields === undefined || fields === '' || fields === '*') return answer;
  return keep(answer, parseMask(fields));
}

function parseMask(text: string): Mask {
  const tokens = text.match(/[A-Za-z]+|[(),./]/g) ?? [];
  if (tokens.join('') !== text.replaceAll(/\s/g, '')) throw invalid(`Invalid field selection ${text}`);
  const read = (): Mask => {
    const mask: Mask = {};
    do {
      let branch = mask;
      do {
        const name = tokens.shift();
        if (name === undefined || !/^[A-Za-z]/.test(name)) throw invalid(`Invalid field selection ${text}`);
        const next = branch[name] ?? {};
        branch[name] = next;
        branch = next;
      } while (took('.') || took('/'));
      if (took('(')) {
        Object.assign(branch, read());
        if (!took(')')) throw invalid(`Invalid field selection ${text}`);
      }
    } while (took(','));
    return mask;
  };
  const took = (token: string) => tokens[0] === token && tokens.shift() !== undefined;
  const mask = read();
  if (tokens.length > 0) throw invalid(`Invalid field selection ${text}`);
  return mask;
}

function keep(value: unknown, mask: Mask): unknown {
  if (Object.keys(mask).length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => keep(element, mask));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const branch = mask[name];
      return branch === undefined ? [] : [[name, keep(inner, branch)]];
    }),
  );
}
