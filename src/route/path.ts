import type { JsonValue, RoutedFields } from '../model.ts';

/** Steps from an event's fields to a value: a name into an object, an index into a list. */
export type Path = readonly (string | number)[];

/**
 * Reads a path as configs write it: `interview.metadata.plan`, `interview.metadata["a.b"]`,
 * `interview.parsed_conversation_json[0].content`.
 *
 * @throws SyntaxError that says what is wrong
 */
export function parsePath(text: string): Path {
  const steps: (string | number)[] = [];
  // A step is a name (with a dot before it unless it is the first), an index, or a quoted name in brackets.
  const step = /(\.?)([^.[\]]+)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]/y;
  while (step.lastIndex < text.length) {
    const at = step.lastIndex;
    const found = step.exec(text);
    if (found === null) throw new SyntaxError(`"${text}" is no path: character ${at + 1} is not expected`);
    const [, dot, name, index, double, single] = found;
    if (name !== undefined) {
      if ((dot === '.') !== at > 0)
        throw new SyntaxError(`"${text}" is no path: a dot is ${dot ? 'too many' : 'missing'}`);
      steps.push(name.trim());
    } else {
      steps.push(index === undefined ? (double ?? single ?? '').replace(/\\(.)/g, '$1') : Number(index));
    }
  }
  if (typeof steps[0] !== 'string' || steps.includes(''))
    throw new SyntaxError(`"${text}" is no path: a name is empty`);
  return steps;
}

/** What is wrong with a path that has more in it than a path: surely a condition that lacks its colon. */
export function colonSlip(text: string): { message: string; fix: string } | undefined {
  const [, head, space, rest = ''] =
    /^((?:[^\s[{}<>=!~]|\[(?:\d+|"[^"]*"|'[^']*')\])+)(\s*)([^[].*)$/s.exec(text) ?? [];
  if (head === undefined || (space === '' && !/^[{}<>=!~]/.test(rest))) return undefined;
  const isName = !/[{}<>=!~[\]"]/.test(rest);
  if (isName && head.endsWith('.metadata')) {
    return { message: `a dot is missing after ${head}`, fix: `Write ${head}${nameStep(rest)}.` };
  }
  if (isName && head.includes('.metadata.')) {
    const dot = head.lastIndexOf('.');
    const whole = `${head.slice(0, dot)}${nameStep(text.slice(dot + 1))}`;
    return { message: 'a name with a space in it needs quotes', fix: `Write ${whole}.` };
  }
  return {
    message: `a colon is missing after ${head}`,
    fix: 'Write for example `interview.active_time: { gte: 120 }`.',
  };
}

/** The path as configs write it. */
export function printPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 && !ODD.test(step) ? step : nameStep(step);
    })
    .join('');
}

/** Characters of a name that a path holds only within quotes. */
const ODD = /^$|[\s.[\]"'\\{}<>=!~]/;

/** A name as a path has it after others. */
function nameStep(name: string): string {
  return ODD.test(name) ? `[${JSON.stringify(name)}]` : `.${name}`;
}

/** What an event has at a path: own fields only, and undefined where there is none. Never throws. */
export function readPath(fields: RoutedFields, path: Path): JsonValue | undefined {
  let value: unknown = fields;
  for (const step of path) {
    const fits = typeof step === 'number' ? Array.isArray(value) : typeof value === 'object' && !Array.isArray(value);
    if (!fits || value === null || !Object.hasOwn(value as object, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value as JsonValue;
}
