import type { Config } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import type { DeliveryRecord, EventRecord } from '../model.ts';
import { decide } from '../route/decide.ts';
import { Progress } from './progress.ts';
import type { Concerned } from './proposal.ts';
import { chosenEvents, type Reread, readAgain } from './replay-choice.ts';
import {
  alreadyRemoved,
  arranged,
  type Draft,
  identityOf,
  type Judgement,
  notUnderstood,
  type Puzzling,
  type Replay,
} from './replay-draft.ts';
import type { Cell } from './table.ts';
import { count, listed } from './words.ts';

/**
 * What a replay through today's routes would do: the deliveries that these say and the events do not have yet.
 *
 * @throws RelayError when nothing is left of what was chosen, or a source left the config
 */
export async function reroute(recovery: Replay, config: Config): Promise<Draft> {
  const { store, options } = recovery;
  const rerouting = new Rerouting(config, options.to);
  using progress = new Progress('events routed');
  const removed: string[] = [];
  for await (const batch of chosenEvents(recovery, removed)) {
    const deliveries = await store.deliveriesOf(batch.map(({ id }) => id));
    for (const { id } of batch) {
      const found = await readAgain(id, recovery);
      if (found) rerouting.judge(id, found, deliveries.get(id) ?? []);
      progress.add(1);
    }
  }
  const draft = rerouting.draft();
  draft.notes.push(...alreadyRemoved(removed, draft.concerned.length + draft.judged.size + draft.notes.length > 0));
  return arranged(draft, options);
}

/** Events as today's routes judge them, and what is to be said of those that make no delivery. */
class Rerouting {
  readonly #config: Config;
  readonly #to: string | undefined;
  readonly #concerned: Concerned[] = [];
  readonly #judged = new Map<string, Judgement>();
  readonly #puzzling: Puzzling[] = [];
  /** That no route takes; with `to`, to that destination. */
  readonly #untaken: string[] = [];
  /** How many have all deliveries already. */
  #complete = 0;
  /** How many came from a source that left the config, by its name. */
  readonly #orphans = new Map<string, number>();

  constructor(config: Config, to: string | undefined) {
    this.#config = config;
    this.#to = to;
  }

  judge(id: string, { event, judged }: Reread, deliveries: DeliveryRecord[]): void {
    if (!event || !judged.payload) {
      this.#puzzling.push({ event: id, reason: judged.payload ? 'it is gone' : judged.reason });
      return;
    }
    const source = this.#config.sources.get(event.source);
    if (!source) {
      this.#orphans.set(event.source, (this.#orphans.get(event.source) ?? 0) + 1);
      return;
    }
    const { state, routes, destinations } = decide(judged, source, this.#config.table);
    const wanted = destinations.filter((name) => this.#to === undefined || name === this.#to);
    const judgement: Judgement = { ...identityOf(judged.payload), state, routes };
    // What was routed once and is taken by no route today stays as it was judged then.
    const counts = wanted.length > 0 || (event.state === 'quarantined' && this.#to === undefined);
    if (counts && isNews(event, judgement)) this.#judged.set(id, judgement);
    const missing = wanted.filter((name) => !deliveries.some(({ destination }) => destination === name));
    for (const destination of missing) this.#concerned.push({ event: id, subject: judgement.subject, destination });
    if (wanted.length === 0) this.#untaken.push(id);
    else if (missing.length === 0) this.#complete += 1;
  }

  /** @throws RelayError when nothing is left */
  draft(): Draft {
    refuseOrphans(this.#orphans);
    const others = this.#concerned.length + this.#judged.size + this.#complete;
    if (others === 0) this.#refuseUntaken();
    const notes = [...notUnderstood(this.#puzzling, others > 0), ...this.#notes()];
    return { concerned: this.#concerned, judged: this.#judged, notes };
  }

  #refuseUntaken(): void {
    const [first] = this.#untaken;
    if (first === undefined) return;
    const what = this.#untaken.length === 1 ? first : `any of ${this.#untaken.length} events`;
    throw new RelayError('RELAY_STATE', `No route takes ${what}${this.#where} today. Nothing was changed.`, {
      fix: `\`versive-relay explain ${first}\` says why. Without --reroute, --to <destination> asks no routes.`,
    });
  }

  get #where(): string {
    return this.#to === undefined ? '' : ` to ${this.#to}`;
  }

  #notes(): Cell[] {
    const notes: Cell[] = [];
    const made = new Set(this.#concerned.map(({ event }) => event));
    const only = [...this.#judged].filter(([id]) => !made.has(id));
    const freed = only.filter(([, { state }]) => state === 'unrouted').length;
    const renamed = only.length - freed;
    if (this.#complete > 0) {
      const have = this.#complete === 1 ? 'has' : 'have';
      const what = this.#to === undefined ? "all deliveries that today's routes say" : `its delivery to ${this.#to}`;
      const changed = renamed === 0 ? '' : ` ${renamed} of them came there by other routes than today's.`;
      notes.push({ text: `${count(this.#complete, 'event')} ${have} ${what} already.${changed}` });
    }
    const [first] = this.#untaken;
    if (first !== undefined) {
      const events = count(this.#untaken.length, 'event');
      const text = `No route takes ${events}${this.#where}: \`versive-relay explain ${first}\` says why.`;
      notes.push({ text, style: 'yellow' });
    }
    if (freed > 0) {
      const leave = freed === 1 ? 'event leaves' : 'events leave';
      notes.push({ text: `${freed} ${leave} quarantine: understood now, and unrouted.` });
    }
    return notes;
  }
}

function isNews(event: EventRecord, { state, routes }: Judgement): boolean {
  return event.state !== state || JSON.stringify(event.routes) !== JSON.stringify(routes);
}

/** @throws RelayError RELAY_NOT_FOUND when nobody knows what the source of an event lets through */
function refuseOrphans(orphans: Map<string, number>): void {
  if (orphans.size === 0) return;
  const named = [...orphans].map(([name, number]) => `"${name}" (${count(number, 'event')})`);
  throw new RelayError('RELAY_NOT_FOUND', `The config has no source ${listed(named)}. Nothing was changed.`, {
    fix: 'Put it back, choose other events, or leave --reroute away: --to <destination> asks no routes.',
  });
}
