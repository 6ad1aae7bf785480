import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Option } from 'commander';
import { shownStore } from '../address.ts';
import type { Config, SourceConfig } from '../config/config.ts';
import { reason } from '../config/substitute.ts';
import { RelayError } from '../errors.ts';
import { type Judged, parsePayload } from '../payload.ts';
import type { ShownEvent } from '../render/item.ts';
import type { StoredEvent } from '../store/store.ts';
import { showMoment } from './moment.ts';
import { named } from './names.ts';
import { withStore } from './with-store.ts';

const GIVEN =
  'Name a file with the JSON of a payload, `-` for standard input, or the id of a stored event such as e42.';

/** The event that a verb was given: a stored one, or a payload as if it arrived now. */
export interface ChosenEvent {
  event: ShownEvent;
  body: Buffer;
  judged: Judged;
  source: SourceConfig;
}

/** `--source <name>`, of the verbs that are given a payload. */
export function sourceOption(): Option {
  return new Option('--source <name>', 'the source that the payload came to (by default the only one)');
}

/**
 * Reads `<event file or id>`: `e42` from the store, `-` from standard input, anything else from a file.
 *
 * @throws RelayError when there is no such event, file or source
 */
export async function readEvent(
  config: Config,
  argument: string,
  sourceName: string | undefined,
): Promise<ChosenEvent> {
  if (isEventId(argument)) return await storedEvent(config, argument, sourceName);
  const body = argument === '-' ? Buffer.from(await text(process.stdin)) : await readBody(argument);
  const source = chooseSource(config, sourceName);
  const judged = parsePayload(body.toString());
  const eventType = judged.payload?.event_type ?? '';
  return {
    event: { id: 'e0', eventType, source: source.name, svixId: 'msg_preview', receivedAt: Date.now() },
    body,
    judged,
    source,
  };
}

/** Is it `e42`, and neither a file nor standard input? */
export function isEventId(argument: string): boolean {
  return /^e\d+$/.test(argument);
}

/** @throws RelayError when there is no such event */
export async function findEvent(config: Pick<Config, 'store'>, id: string): Promise<StoredEvent> {
  const found = await withStore(config, (store) => store.event(id));
  if (found) return found;
  throw new RelayError('RELAY_NOT_FOUND', `there is no event ${id} in ${shownStore(config.store)}`, {
    fix: 'List the events with `versive-relay events`.',
  });
}

async function storedEvent(config: Config, id: string, sourceName: string | undefined): Promise<ChosenEvent> {
  const found = await findEvent(config, id);
  if (found.removedAt !== undefined) {
    const when = showMoment(found.removedAt, config.timezone);
    throw new RelayError('RELAY_STATE', `${id} cannot be looked into: its body was removed ${when}, since it was old`, {
      fix: `\`versive-relay events ${id}\` shows what is kept of it. How long bodies are kept, \`retention:\` says.`,
    });
  }
  if (found.damage !== undefined) {
    const fix = 'Look at the health of the disk, and restore the store from a copy.';
    throw new RelayError('RELAY_STORE_OPEN', `${id} cannot be looked into: ${found.damage}`, { fix });
  }
  // An event outlives its source: one that left the config judges nothing any more.
  const known = sourceName === undefined ? config.sources.get(found.source) : chooseSource(config, sourceName);
  const source = known ?? { name: found.source, secrets: [], when: undefined };
  return {
    event: { ...found, source: source.name },
    body: found.body,
    judged: parsePayload(found.body.toString()),
    source,
  };
}

/**
 * @param fix what else may be given
 * @throws RelayError when there is no such file
 */
export async function readBody(file: string, fix = GIVEN): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new RelayError('RELAY_FILE', `${file} cannot be read: ${reason(error)}`, { fix, cause: error });
  }
}

function chooseSource(config: Config, name: string | undefined): SourceConfig {
  const names = [...config.sources.keys()];
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen !== undefined) return named('source', chosen, config.sources);
  throw new RelayError('RELAY_USAGE', `the config has ${names.length} sources: ${names.join(', ')}`, {
    fix: 'Name the one that the payload came to with --source.',
  });
}
