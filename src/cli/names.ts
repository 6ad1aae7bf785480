import { RelayError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { listed } from './words.ts';

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

/** That the store has no event, or no delivery, of these ids. */
export function unknownIds(kind: 'event' | 'delivery', ids: string[]): RelayError {
  const { things, look, other, whatOther } = IDS[kind];
  const names = listed(ids.map((id) => `"${id}"`));
  const message = ids.length === 1 ? `There is no ${kind} ${names}.` : `There are no ${things} ${names}.`;
  const mistaken = ids.find((id) => other.test(id));
  const fix = mistaken
    ? `${mistaken} is the id of ${whatOther} ${mistaken}\` shows it, and what belongs to it.`
    : `\`versive-relay ${things}\` lists them; their ids look like ${look}.`;
  return new RelayError('RELAY_NOT_FOUND', message, { fix });
}

const IDS = {
  event: { things: 'events', look: 'e12', other: /^d\d+$/, whatOther: 'a delivery: `versive-relay deliveries' },
  delivery: { things: 'deliveries', look: 'd7', other: /^e\d+$/, whatOther: 'an event: `versive-relay events' },
};
