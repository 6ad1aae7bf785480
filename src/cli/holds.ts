import type { Config } from '../config/config.ts';
import type { DeliveryRecord, Reason } from '../model.ts';
import type { DeliveryFilter, Store } from '../store/store.ts';

/** Why the pending deliveries of a destination stand still, and what lets them flow. */
export interface Hold {
  /** In a sentence. */
  detail: string;
  fix: string;
  reason?: Reason;
}

/**
 * The destinations whose pending deliveries are held: halted, paused, disabled, or absent from the config.
 *
 * @param config undefined when it cannot be read: nobody knows then what is disabled or absent
 */
export async function findHolds(config: Config | undefined, store: Store): Promise<Map<string, Hold>> {
  const holds = new Map<string, Hold>();
  for (const { destination } of config ? await store.backlog() : []) {
    if (config && !config.destinations.has(destination)) holds.set(destination, absence(config, destination));
  }
  for (const { name, enabled } of config?.destinations.values() ?? []) {
    if (!enabled)
      holds.set(name, { detail: 'the destination is disabled', fix: 'Take `enabled: false` out of the config.' });
  }
  for (const { destination, paused, halt } of await store.lanes()) {
    if (holds.has(destination)) continue;
    const resume = `\`versive-relay resume ${destination}\``;
    if (paused) holds.set(destination, { detail: 'the destination is paused', fix: `Let it flow with ${resume}.` });
    else if (halt) {
      const fix = `${halt.fix} Then it flows by itself within minutes, or at once with ${resume}.`;
      holds.set(destination, { detail: halt.detail, fix, reason: halt.reason });
    }
  }
  return holds;
}

/** What holds the deliveries of a destination that left the config. */
export function absence(config: Config, destination: string): Hold {
  const heir = config.destinations.values().find(({ renamedFrom }) => renamedFrom === destination);
  return {
    detail: 'the config has no destination of this name',
    fix: heir
      ? `"${heir.name}" takes over what it has when the relay starts, or reads the config again.`
      : `Put "${destination}" back, or give the destination that took its place \`renamed_from: ${destination}\`.`,
  };
}

/** The hold of a delivery; undefined when it is settled, or flows. */
export function holdOf(delivery: DeliveryRecord, holds: Map<string, Hold>): Hold | undefined {
  return delivery.state === 'pending' ? holds.get(delivery.destination) : undefined;
}

/** What `--state held` asks for: what is pending where something waits and is held. */
export async function heldFilter(
  store: Store,
  holds: Map<string, Hold>,
): Promise<Required<Pick<DeliveryFilter, 'state' | 'destinations'>>> {
  // Not where nothing waits: a walk over all deliveries that finds none would be long.
  const waiting = (await store.backlog()).map(({ destination }) => destination);
  return { state: 'pending', destinations: waiting.filter((name) => holds.has(name)) };
}
