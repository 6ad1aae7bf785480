import path from 'node:path';
import type { Config, DestinationConfig } from '../config/config.ts';
import type { Loaded } from '../config/load.ts';
import { openDestination } from '../config/open.ts';
import { scrubber } from '../config/secrets.ts';
import { itemOf } from '../config/trial.ts';
import type { CheckFinding } from '../connector.ts';
import { type Finding, RelayError } from '../errors.ts';
import { Progress } from './progress.ts';
import { sampleEvents } from './sample-events.ts';
import type { Cell } from './table.ts';
import { withStore } from './with-store.ts';
import { count, listed } from './words.ts';

/** What a service says of a destination. */
export interface Asked {
  findings: CheckFinding[];
  /** Can its connector ask at all? */
  asked: boolean;
  /** Did it answer any call? False also when none was made. */
  answered: boolean;
}

/**
 * Opens a destination and has it ask its service whether deliveries would work. Sends nothing, and never throws.
 *
 * @param signal ends all of it; each call ends within the destination's timeout in any case
 * @param pauses limit keys that a service has asked to leave alone, for how many milliseconds: it is not asked then
 */
export async function askService(
  destination: DestinationConfig,
  { file, timezone }: Pick<Config, 'file' | 'timezone'>,
  { signal, pauses }: { signal?: AbortSignal; pauses?: Map<string, number> } = {},
): Promise<Asked> {
  const [example] = sampleEvents();
  let answered = false;
  const request: typeof fetch = async (input, init) => {
    const limits = [AbortSignal.timeout(destination.timeout), init?.signal, signal].filter(
      (each) => each instanceof AbortSignal,
    );
    const response = await fetch(input, { ...init, signal: AbortSignal.any(limits) });
    answered = true;
    return response;
  };
  try {
    const opened = openDestination(destination, { folder: path.dirname(file), timezone }, request);
    try {
      const pause = pauses?.get(opened.limits.key);
      if (pause !== undefined) return { findings: [pausedFinding(pause)], asked: false, answered };
      const findings = (await opened.check?.(itemOf(example, destination.name, timezone))) ?? [];
      return { findings, asked: opened.check !== undefined, answered };
    } finally {
      await opened.close?.();
    }
  } catch (error) {
    const message = `the check did not come to an end: ${error instanceof Error ? error.message : String(error)}`;
    const fix = 'See that this machine reaches the service, and try again.';
    return { findings: [{ level: 'error', message, fix }], asked: true, answered };
  }
}

function pausedFinding(ms: number): CheckFinding {
  const message = `its service has asked to be left alone for another ${Math.ceil(ms / 1000)} s, and was not asked`;
  return { level: 'warning', message, fix: 'Deliveries wait as long by themselves; check again after that.' };
}

/** The pauses that the relay keeps. None when there is no store to keep them, or it cannot be read. */
async function keptPauses(config: Config): Promise<Map<string, number>> {
  try {
    return await withStore(config, (store) => store.pausedKeys());
  } catch (error) {
    if (error instanceof RelayError) return new Map();
    throw error;
  }
}

/** What all services say of a config. */
export interface LiveAnswers {
  findings: Finding[];
  /** Names of the destinations whose services were asked. */
  asked: string[];
  /** Names of the others: those that are disabled, and those whose connectors cannot ask. */
  disabled: string[];
  mute: string[];
}

/** Opens each enabled destination and has it ask its service, all at once. */
export async function checkLive(config: Config, placeOf: Loaded['placeOf']): Promise<LiveAnswers> {
  const destinations = [...config.destinations.values()];
  const enabled = destinations.filter((destination) => destination.enabled);
  const scrub = scrubber(config.secrets);
  using progress = new Progress(`of ${count(enabled.length, 'destination')} asked`, 0);
  progress.add(0);
  const pauses = await keptPauses(config);
  const all = await Promise.all(
    enabled.map(async (destination) => {
      const { name } = destination;
      const { findings, asked } = await askService(destination, config, { pauses });
      progress.add(1);
      const place = { ...placeOf(['destinations', name]), path: `destinations.${name}` };
      const told = findings.map(({ level, message, fix }): Finding => {
        const ended = /[.?!]$/.test(message) ? message : `${message}.`;
        return { level, code: 'RELAY_CHECK_LIVE', ...place, message: scrub(ended), fix: scrub(fix) };
      });
      return { name, asked, findings: told };
    }),
  );
  return {
    findings: all.flatMap(({ findings }) => findings),
    asked: all.filter(({ asked }) => asked).map(({ name }) => name),
    disabled: destinations.filter((each) => !each.enabled).map(({ name }) => name),
    mute: all.filter(({ asked, findings }) => !asked && findings.length === 0).map(({ name }) => name),
  };
}

/** Which services were asked, whether all is well there, and which were not asked. */
export function liveNotes({ findings, asked, disabled, mute }: LiveAnswers): Cell[] {
  const well = asked.filter((name) => !findings.some(({ path: at }) => at === `destinations.${name}`));
  const were =
    asked.length === 1 ? `The service of ${listed(asked)} was asked` : `The services of ${listed(asked)} were asked`;
  const notes: Cell[] = [];
  if (asked.length === 0) notes.push({ text: 'No service was asked.', style: 'yellow' });
  else if (well.length === asked.length) {
    notes.push({ text: `${were}: all is well.`, style: 'green' });
  } else {
    const rest = well.length > 0 ? `: all is well with ${listed(well)}` : '';
    notes.push({ text: `${were}${rest}.` });
  }
  if (disabled.length > 0) notes.push({ text: `Not asked, since disabled: ${listed(disabled)}.`, style: 'yellow' });
  if (mute.length > 0) {
    notes.push({ text: `Not asked, since their connectors have no check: ${listed(mute)}.`, style: 'yellow' });
  }
  return notes;
}
