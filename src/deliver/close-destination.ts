import type { Destination } from '../connector.ts';
import type { LaneParts } from './lane-parts.ts';

/** Lets a connector end what it has open. Never throws. */
export async function closeDestination(
  destination: Destination,
  name: string,
  { log, scrub }: Pick<LaneParts, 'log' | 'scrub'>,
): Promise<void> {
  try {
    await destination.close?.();
  } catch (error) {
    log.warn({ step: 'lane.unclosed', destination: name, error: scrub(String(error)) }, 'a connector did not close');
  }
}
