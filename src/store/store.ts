import type { DeliveryRecord, DeliveryState, EventRecord, EventState, Reason, Receipt } from '../model.ts';

/** An event to keep, already routed. Times are epoch milliseconds. */
export interface NewEvent {
  source: string;
  svixId: string;
  eventType: string;
  subject: string;
  study: string;
  state: EventState;
  reason?: string;
  receivedAt: number;
  routes: string[];
  destinations: string[];
  body: Buffer;
}

export interface Accepted {
  id: string;
  /** The `svix-id` was known at this source: nothing was written. */
  duplicate: boolean;
  deliveries: number;
  /** Those of its deliveries that were claimed for an offer; the others are due. */
  claims: Claim[];
}

/** A lane that has a place for one delivery more. */
export interface Offer {
  destination: string;
  target: string;
}

/** An event with the bytes that were received. */
export interface StoredEvent extends EventRecord {
  /** Empty once it was removed. */
  body: Buffer;
  /** Why the body cannot be read; it is then empty. */
  damage?: string;
}

/** A delivery under way. Only the holder of its token can record how it ended. */
export interface Claim {
  token: string;
  delivery: DeliveryRecord;
  event: EventRecord;
  body: Buffer;
  /** What the service knows the delivery by: the destination's name when the generation began, and its number. */
  identity: { destination: string; subject: string; generation: number };
  receipt: Receipt | undefined;
  /** Receipts of earlier generations: what stands there is not this one's. */
  earlier: Receipt[];
  /** The receipt was made from an event that was accepted later: delivering this one would bring old words back. */
  superseded: boolean;
  /** There is no receipt for the target, but one for another: the same place may only have got another name. */
  elsewhere: boolean;
  /** Why the body cannot be read; it is then empty. */
  damage?: string;
  /** An earlier write for the subject may have landed, and nobody knows. */
  doubt: Doubt | undefined;
}

/** A write whose end nobody knows. It belongs to the subject, until a look or a receipt settles it. */
interface Doubt {
  /** Epoch milliseconds. */
  since: number;
  /** It was for an event that was accepted later than this one, and that is still to be delivered. */
  newer: boolean;
}

export interface ClaimRequest {
  destination: string;
  /** Receipts are looked up for this target. */
  target: string;
  /** Each event stands by itself there: none is superseded. */
  standsAlone?: boolean;
  /** Epoch milliseconds: what is due by then. */
  now: number;
  limit: number;
  /** Subjects that are under way at this destination. */
  except: readonly string[];
}

/** What the end of any claim may leave behind. */
interface Aftermath {
  /** Since when it may have written without anyone knowing, epoch milliseconds. */
  doubt?: number;
  /** Nothing was sent: that says nothing of a delivery that met crashes. */
  unsent?: true;
}

/** How a claim ended. */
export type Settlement = Aftermath &
  (
    | {
        state: 'delivered';
        receipt: Receipt;
        /** What a person should know of it all the same. */
        note?: { detail: string; fix: string };
      }
    | { state: 'failed'; reason: Reason; detail: string; fix: string }
    | {
        state: 'pending';
        /** Epoch milliseconds. */
        nextAttemptAt: number;
        reason: Reason;
        detail: string;
        fix?: string;
        /** False when the attempt costs nothing: the service said when to come back, or the lane is held. */
        counted: boolean;
      }
  );

/** Why a lane stands still until someone acts. */
export interface Halt {
  reason: Reason;
  detail: string;
  fix: string;
  /** Epoch milliseconds. */
  since: number;
}

export interface LaneRecord {
  destination: string;
  /** By a person, with `pause`. */
  paused: boolean;
  halt: Halt | undefined;
}

export interface Backlog {
  destination: string;
  pending: number;
  /** When the oldest pending delivery's event was received, epoch milliseconds. */
  oldest: number;
}

/** A stored event that is to go to more destinations. */
export interface Addition {
  event: string;
  destinations: string[];
  /** Each begins a new generation: what an earlier event of the subject left there stays as it is. */
  renew: boolean;
  /** What today's config makes of the event; absent leaves it as it was judged when it came. */
  judged?: Pick<NewEvent, 'eventType' | 'subject' | 'study' | 'state' | 'reason' | 'routes'>;
}

export interface PruneRequest {
  /** Epoch milliseconds: of events that were received earlier. */
  before: number;
  /** The event after which it begins; with the oldest one by default. */
  after?: string;
  /** The most events that are looked at; at most 200. */
  limit?: number;
  /** Only counts. */
  dryRun?: boolean;
}

/** What a step of pruning came by. */
export interface Pruned {
  /** Ids of the events whose body and deliveries were removed (or would be). */
  removed: string[];
  /** How many deliveries that were. */
  deliveries: number;
  /** How many old events stay, with all that they have: those with a failed delivery, and others with one that is pending. */
  failed: number;
  pending: number;
  /** Where the next step begins; undefined at the end. */
  after: string | undefined;
  /** Up to this event the step has removed all, so that no later walk need look there; undefined when its first one stays. */
  done: string | undefined;
}

/** A page of a list, newest first. `before` is the id of the last row of the page before. */
export interface PageRequest {
  limit: number;
  before?: string;
}

export interface EventFilter {
  state?: EventState;
  destination?: string;
  route?: string;
  study?: string;
  interview?: string;
  /** Epoch milliseconds of acceptance: from (inclusive) … */
  since?: number;
  /** … to (exclusive). */
  until?: number;
}

/** Of deliveries; `held` is among them when it is given the lanes that hold. */
export interface DeliveryFilter extends Omit<EventFilter, 'state'> {
  state?: DeliveryState;
  /** Only deliveries of these destinations; with `state: 'pending'` and the lanes that hold, the held ones. */
  destinations?: string[];
}

/**
 * Where events wait. Each method is one transaction; a promise that resolves means that it is on disk. A rejected write
 * changed nothing.
 *
 * `setPaused`, `setHalt`, `rename`, `release` and the verbs may touch any number of deliveries. They go in
 * transactions of at most 500 rows: a rejected one may have done a part, and the same call again does the rest.
 *
 * What is due goes by the wall clock. When that was set back, all that waits becomes due: `release` and `watch` look.
 *
 * @throws RelayError RELAY_STORE_BUSY when it cannot commit: disk full, database away, too many writes waiting.
 */
export interface Store {
  /** False where `accept` leaves all to `claim`. */
  readonly takesOffers: boolean;
  /**
   * Keeps an event with its deliveries. Concurrent calls share a commit.
   *
   * @param offers of lanes among its destinations. Where offers are taken, the delivery for such a lane is claimed in the same
   *   commit when the event is the first of its subject
   */
  accept(event: NewEvent, offers?: readonly Offer[]): Promise<Accepted>;
  /**
   * Takes what is due at a destination, oldest first, one delivery a subject at most, counts the attempt, and puts the
   * subject in doubt: until the claim's end is recorded, its write may have landed.
   */
  claim(request: ClaimRequest): Promise<Claim[]>;
  /** Keeps a claim's progress in the ledger. False when the token is no longer the delivery's. */
  checkpoint(token: string, target: string, receipt: Receipt): Promise<boolean>;
  /**
   * Ends a claim; its receipt, and the doubt that it leaves, go into the ledger with it. What a verb wished for meanwhile
   * is then done. False when the token is no longer the delivery's.
   */
  record(token: string, target: string, settlement: Settlement): Promise<boolean>;
  /**
   * Frees the claims that a process left behind when it died. A delivery whose claims ended three times in a row with no
   * outcome at all becomes failed: it would take the relay down for ever. Their doubts stay. What this process itself had
   * under way in lanes that it lost is freed too, and counts no strike.
   *
   * @param destinations whose lanes are this process's now; absent frees those that no process serves
   * @returns how many were freed, and the ids of those that failed
   */
  release(destinations?: readonly string[]): Promise<{ freed: number; failed: string[] }>;
  /**
   * When the next delivery of a destination that is not under way is due, epoch milliseconds. One whose subject is under way
   * counts too, and cannot be claimed before that has ended.
   */
  nextDue(destination: string): Promise<number | undefined>;

  /**
   * Brings deliveries back to pending, due at once and with their whole schedule before them: failed and discarded ones,
   * and pending ones that wait. One under way is, should it fail. Gives how many that touched.
   */
  retry(deliveries: string[]): Promise<number>;
  /** Gives up deliveries that are pending or failed. One under way is given up unless it arrives. Gives how many. */
  discard(deliveries: string[]): Promise<number>;
  /**
   * Brings deliveries back to pending, whatever became of them; one under way when it has ended. By the ledger, what is
   * there is updated; `renew` begins a new generation instead. Gives how many.
   */
  replay(deliveries: string[], options: { renew: boolean }): Promise<number>;
  /** Makes the deliveries that stored events do not have yet; none of one whose body was removed. Gives how many were made. */
  add(additions: Addition[]): Promise<number>;

  /**
   * Removes the bodies and deliveries of old events, a step of them: of those without any delivery that is pending or failed.
   * The events themselves stay, so that their `svix-id` is known, and the ledger, so that what was delivered is updated.
   * Undefined while another process is at it.
   */
  prune(request: PruneRequest): Promise<Pruned | undefined>;

  /** What is known of lanes: every destination that was ever paused or halted. */
  lanes(): Promise<LaneRecord[]>;
  setPaused(destination: string, paused: boolean): Promise<void>;
  /** Halts a lane, or with undefined lets it flow; its pending deliveries are then due at once. */
  setHalt(destination: string, halt: Halt | undefined): Promise<void>;
  /** Carries deliveries, lane and ledger of a renamed destination over. Gives how many deliveries moved. */
  rename(from: string, to: string): Promise<number>;
  /** Keeps a service's Retry-After: no call with this limit key for so many milliseconds. */
  pauseKey(key: string, ms: number): Promise<void>;
  /** The limit keys that are paused still, and for how many milliseconds: no more than when that was kept. */
  pausedKeys(): Promise<Map<string, number>>;

  events(filter: EventFilter, page: PageRequest): Promise<EventRecord[]>;
  deliveries(filter: DeliveryFilter, page: PageRequest): Promise<DeliveryRecord[]>;
  /** The deliveries of these events, by event id. */
  deliveriesOf(events: string[]): Promise<Map<string, DeliveryRecord[]>>;
  event(id: string): Promise<StoredEvent | undefined>;
  delivery(id: string): Promise<DeliveryRecord | undefined>;
  backlog(): Promise<Backlog[]>;
  /**
   * Tells, within a second and until the store is closed, that something else than this process's calls has changed it:
   * another process, or the clock. `destinations` are those that were only given new deliveries; absent, anything may have
   * changed.
   */
  watch(changed: (destinations?: readonly string[]) => void): void;
  /** Throws when the store could not commit now; for `/readyz`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A process that serves a store. */
export interface Replica {
  id: string;
  /** The machine's name and the process's number. */
  host: string;
  /** Of the program. */
  version: string;
  /** Epoch milliseconds, by the store's clock. */
  startedAt: number;
  /** Of the config that it runs by; undefined until it has said so. */
  configHash: string | undefined;
  /** This process. */
  self: boolean;
}

/** A store, and the right of this process to serve it: which lanes are its own. One process at SQLite has them all. */
export interface Serving {
  store: Store;
  /**
   * Makes a lane this process's own: no other claims from it, or from one that shares a key with it. Until `give`, or until
   * `lost` tells that another may have it.
   *
   * @param keys of limits and serial order, which lanes of one process may share
   * @returns false when another process has the lane or one of the keys
   */
  take(lane: string, keys: readonly string[]): Promise<boolean>;
  /** Lets others have the lane: nothing is under way there any more. */
  give(lane: string): Promise<void>;
  /**
   * How many processes serve the store, this one's place among them, from 0, and whether one of the others lacks lanes.
   *
   * @param lacks how many this one lacks, for the others to hear
   */
  share(lacks: number): Promise<{ processes: number; place: number; lacking: boolean }>;
  /** The processes that serve the store, this one among them, in the order of their places. */
  replicas(): Promise<Replica[]>;
  /** Tells the others by which config this process runs: a hash that is equal when the configs are. */
  announce(configHash: string): Promise<void>;
  /** False while another process may have taken the lanes of this one: no call may start then. */
  readonly isSure: boolean;
  /** Calls back when all lanes that were taken are lost: what is under way there cannot be recorded any more. */
  lost(told: () => void): void;
  /** Closes the store, and lets others have all. */
  close(): Promise<void>;
}
