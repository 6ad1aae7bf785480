import path from 'node:path';
import type { Config, DestinationConfig } from '../config/config.ts';
import { openDestination } from '../config/open.ts';
import { itemOf } from '../config/trial.ts';
import type { CheckFinding } from '../connector.ts';
import { sampleEvents } from './sample-events.ts';

/** What a service says of a destination. */
export interface Asked {
  findings: CheckFinding[];
  /** Did it answer any call? False also when none was made. */
  answered: boolean;
}

/**
 * Opens a destination and has it ask its service whether deliveries would work. Sends nothing, and never throws.
 *
 * @param signal ends all of it; each call ends within the destination's timeout in any case
 */
export async function askService(
  destination: DestinationConfig,
  { file, timezone }: Pick<Config, 'file' | 'timezone'>,
  signal?: AbortSignal,
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
      const findings = (await opened.check?.(itemOf(example, destination.name, timezone))) ?? [];
      return { findings, answered };
    } finally {
      await opened.close?.();
    }
  } catch (error) {
    const message = `the check did not come to an end: ${error instanceof Error ? error.message : String(error)}`;
    const fix = 'See that this machine reaches the service, and try again.';
    return { findings: [{ level: 'error', message, fix }], answered };
  }
}
