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

/** The path as configs write it. */
export function printPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (/[.[\]"'\\]/.test(step) || step === '' || step !== step.trim()) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
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
