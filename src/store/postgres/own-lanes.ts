import { createHash, randomUUID } from 'node:crypto';
import { RelayError } from '../../errors.ts';
import type { Receipt } from '../../model.ts';
import type { Bodies } from '../bodies.ts';
import type { Claim, ClaimRequest, Settlement } from '../store.ts';
import { claimOf, claimStatement } from './claim.ts';
import { closedError, type Statement } from './database.ts';
import type { LaneConnection } from './lane-connection.ts';
import { checkpointStatement, recordStatement } from './record.ts';

/** A claim that this process has made over the connection that it has now. */
interface Held {
  /** Number of the delivery. */
  id: number;
  lane: string;
  subject: string;
}

/** A token begins with what this process and its connection are: `LOSSES` losses can be told apart. */
const LOSSES = 0x1_0000;

interface Recording<T> {
  token: string;
  held: Held;
  target: string;
  what: T;
  resolve(ours: boolean): void;
  reject(error: unknown): void;
}

/**
 * The lanes that this process has taken, what it has claimed for them, and how that ends: all over one connection, with
 * which it is lost.
 */
export class OwnLanes {
  readonly #connection: LaneConnection;
  readonly #bodies: Bodies;
  /** The locks of each lane that was taken. */
  readonly #locks = new Map<string, string[]>();
  readonly #held = new Map<string, Held>();
  /** How the tokens of this process begin, and how many connections it has lost. */
  readonly #process = randomUUID().slice(0, 19);
  #losses = 0;
  #checkpoints: Recording<Receipt>[] = [];
  #records: Recording<Settlement>[] = [];
  #closing = false;

  constructor(connection: LaneConnection, bodies: Bodies) {
    this.#connection = connection;
    this.#bodies = bodies;
  }

  /** All is lost with the connection. */
  lose(): void {
    this.#locks.clear();
    this.#held.clear();
    this.#losses += 1;
  }

  /** Where the tokens lie of what was claimed over connections that are lost: also of claims whose answer never came. */
  get lostTokens(): { from: string; to: string } | undefined {
    const first = `${this.#process}0000-${'0'.repeat(12)}`;
    return this.#losses === 0 ? undefined : { from: first, to: `${this.#mark}${'0'.repeat(12)}` };
  }

  /** How the tokens begin that are claimed over the connection that there is now. */
  get #mark(): string {
    return `${this.#process}${(this.#losses % LOSSES).toString(16).padStart(4, '0')}-`;
  }

  /** False when another process has the lane or one of the keys. A lane that is taken again has the new keys. */
  async take(lane: string, keys: readonly string[]): Promise<boolean> {
    const wanted = [laneLock(lane), ...keys.map((key) => lockOf('key', key))];
    const connection = this.#connection.current;
    const text =
      'SELECT pg_try_advisory_lock(lock) AS got FROM unnest($1::bigint[]) WITH ORDINALITY AS l (lock, n) ORDER BY n';
    const rows = await this.#connection.run({ text, values: [wanted] }, { alone: true });
    const got = wanted.filter((_, index) => rows[index]?.got === true);
    if (got.length < wanted.length) {
      await this.#unlock(got);
      return false;
    }
    if (this.#connection.current !== connection) throw new RelayError('RELAY_STORE_BUSY', 'the lane was lost at once');
    const before = this.#locks.get(lane);
    this.#locks.set(lane, wanted);
    if (before) await this.#unlock(before);
    return true;
  }

  async give(lane: string): Promise<void> {
    const locks = this.#locks.get(lane);
    if (!locks) return;
    this.#locks.delete(lane);
    for (const [token, held] of this.#held) if (held.lane === lane) this.#held.delete(token);
    await this.#unlock(locks);
  }

  /** Who loses the connection meanwhile has lost the locks with it. */
  async #unlock(locks: string[]): Promise<void> {
    const connection = this.#connection.current;
    if (locks.length === 0) return;
    const text = 'SELECT pg_advisory_unlock(lock) FROM unnest($1::bigint[]) AS lock';
    try {
      await this.#connection.run({ text, values: [locks] }, { alone: true });
    } catch (error) {
      if (this.#connection.current === connection) throw error;
    }
  }

  has(lane: string): boolean {
    return this.#locks.has(lane);
  }

  /** A statement over the connection. @throws RelayError RELAY_STORE_BUSY */
  run(statement: Statement, options?: { alone: boolean }): Promise<Record<string, unknown>[]> {
    return this.#connection.run(statement, options);
  }

  async claim(request: ClaimRequest): Promise<Claim[]> {
    if (this.#closing) throw closedError();
    if (!this.has(request.destination)) throw notOurs(request.destination);
    const connection = this.#connection.current;
    const claims = (await this.#connection.run(claimStatement(request, this.#mark))).map(claimOf);
    if (this.#connection.current !== connection || !this.has(request.destination)) throw notOurs(request.destination);
    for (const { token, delivery, event } of claims) {
      const held = { id: Number(delivery.id.slice(1)), lane: request.destination, subject: event.subject };
      this.#held.set(token, held);
    }
    return this.#bodies.fill(claims, request, this);
  }

  /** False when the claim is no longer this connection's. */
  checkpoint(token: string, target: string, receipt: Receipt): Promise<boolean> {
    return this.#record(this.#checkpoints, token, target, receipt);
  }

  /** False when the claim is no longer this connection's. */
  async record(token: string, target: string, settlement: Settlement): Promise<boolean> {
    const ours = await this.#record(this.#records, token, target, settlement);
    this.#held.delete(token);
    return ours;
  }

  async #record<T>(waiting: Recording<T>[], token: string, target: string, what: T): Promise<boolean> {
    if (this.#closing) throw closedError();
    const held = this.#held.get(token);
    if (!held) return false;
    return new Promise<boolean>((resolve, reject) => {
      waiting.push({ token, held, target, what, resolve, reject });
      if (this.#checkpoints.length + this.#records.length === 1) setImmediate(() => this.#send());
    });
  }

  /** Sends what one turn of the event loop queued, in as few statements as there can be. */
  #send(): void {
    const checkpoints = groups(this.#checkpoints);
    const records = groups(this.#records);
    this.#checkpoints = [];
    this.#records = [];
    for (const group of checkpoints) {
      this.#sendGroup(group, (some) =>
        checkpointStatement(
          some.map(({ held, token, target, what }) => ({ id: held.id, token, target, receipt: what })),
        ),
      );
    }
    for (const group of records) {
      this.#sendGroup(group, (some) =>
        recordStatement(
          some.map(({ held, token, target, what }) => ({ id: held.id, token, target, settlement: what })),
          Date.now(),
        ),
      );
    }
  }

  #sendGroup<T>(group: Recording<T>[], statement: (some: Recording<T>[]) => Statement): void {
    this.#connection.run(statement(group)).then(
      (rows) => {
        const kept = new Set(rows.map(({ token }) => token));
        for (const { token, resolve } of group) resolve(kept.has(token));
      },
      (error: unknown) => {
        // What cannot be kept takes nothing with it.
        if (error instanceof RelayError || group.length === 1) for (const { reject } of group) reject(error);
        else for (const each of group) this.#sendGroup([each], statement);
      },
    );
  }

  /** Ends what is under way, and takes no more. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#send();
    await this.#connection.close();
    this.lose();
  }
}

/** Parts of which each has a subject once: two of one could be about one row. */
function groups<T>(waiting: Recording<T>[]): Recording<T>[][] {
  const found: { group: Recording<T>[]; subjects: Set<string> }[] = [];
  for (const each of waiting) {
    const { subject } = each.held;
    const fits = found.find(({ subjects }) => !subjects.has(subject));
    if (fits) {
      fits.group.push(each);
      fits.subjects.add(subject);
    } else found.push({ group: [each], subjects: new Set([subject]) });
  }
  return found.map(({ group }) => group);
}

/** The advisory lock of a lane: 64 bits of a hash, as a decimal text. */
export function laneLock(lane: string): string {
  return lockOf('lane', lane);
}

function lockOf(kind: 'lane' | 'key', name: string): string {
  const hash = createHash('sha256').update(`versive-relay ${kind}\0${name}`).digest();
  return hash.readBigInt64BE().toString();
}

function notOurs(lane: string): RelayError {
  return new RelayError('RELAY_STORE_BUSY', `the lane ${lane} is not this process's now`);
}
