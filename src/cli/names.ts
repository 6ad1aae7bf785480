import { RelayError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

/**
 * What the config has under a name.
 *
 * @throws RelayError RELAY_NOT_FOUND when it has nothing of this name
 */
export function named<T>(kind: string, name: string, all: Map<string, T>): T {
  const found = all.get(name);
  if (found === undefined) throw new RelayError('RELAY_NOT_FOUND', unknownName(kind, name, all.keys()));
  return found;
}

/** That the config has nothing of this name, with the one that was surely meant, or all that there are. */
export function unknownName(kind: string, name: string, known: Iterable<string>): string {
  const names = [...known];
  const all = names.length === 0 ? '' : ` It has ${names.map((each) => `"${each}"`).join(', ')}.`;
  return `The config has no ${kind} "${name}".${didYouMean(name, names) || all}`;
}
