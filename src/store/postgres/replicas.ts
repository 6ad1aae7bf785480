import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { version } from '../../version.ts';
import type { Replica } from '../store.ts';
import type { Database, Statement } from './database.ts';

/** Seconds without a beat after which a process counts as gone. By the database's clock, which is one for all. */
const ALIVE = "beat > clock_timestamp() - interval '3 seconds'";

/** The processes that serve the store, and this one among them. */
export class Replicas {
  readonly #database: Database;
  readonly #id = randomUUID();
  #configHash: string | undefined;
  #lacks = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Says that this process is there; also what makes it known at first. */
  beat(): Statement {
    const text = `
      INSERT INTO replica (id, host, version, config_hash, lacks) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (id) DO UPDATE SET beat = clock_timestamp(), config_hash = excluded.config_hash, lacks = excluded.lacks`;
    return {
      name: 'beat',
      text,
      values: [this.#id, `${hostname()}/${process.pid}`, version, this.#configHash ?? null, this.#lacks],
    };
  }

  async announce(configHash: string): Promise<void> {
    this.#configHash = configHash;
    await this.#database.write(this.beat());
  }

  async list(): Promise<Replica[]> {
    const rows = await this.#database.read<ReplicaRow>(replicasStatement(this.#id));
    return rows.map((row) => replicaOf(row, this.#id));
  }

  async share(lacks: number): Promise<{ processes: number; place: number; lacking: boolean }> {
    if (lacks !== this.#lacks) {
      this.#lacks = lacks;
      await this.#database.write(this.beat());
    }
    const text = `
      SELECT count(*)::int AS others, count(*) FILTER (WHERE id < $1)::int AS place, count(*) FILTER (WHERE lacks > 0)::int AS lacking
      FROM replica WHERE ${ALIVE} AND id <> $1`;
    const [row] = await this.#database.read<{ others: number; place: number; lacking: number }>({
      text,
      values: [this.#id],
    });
    const { others, place, lacking } = row ?? { others: 0, place: 0, lacking: 0 };
    return { processes: others + 1, place, lacking: lacking > 0 };
  }

  /** Takes this process off the list, and those that died long ago. */
  async leave(): Promise<void> {
    const text = "DELETE FROM replica WHERE id = $1 OR beat < clock_timestamp() - interval '1 hour'";
    await this.#database.write({ text, values: [this.#id] });
  }
}

/** A row of `replicasStatement`. */
export interface ReplicaRow {
  id: string;
  host: string;
  version: string;
  started: number;
  config_hash: string | null;
}

/** The processes that serve the store. @param self the one that asks, which is there whatever its beat says */
export function replicasStatement(self?: string): Statement {
  const text = `
    SELECT id, host, version, (extract(epoch FROM started_at) * 1000)::bigint AS started, config_hash
    FROM replica WHERE ${ALIVE} OR id = $1 ORDER BY id`;
  return { text, values: [self ?? null] };
}

export function replicaOf({ id, host, version, started, config_hash }: ReplicaRow, self?: string): Replica {
  return { id, host, version, startedAt: started, configHash: config_hash ?? undefined, self: id === self };
}

/** True while any process serves the store. */
export const SERVED = `SELECT EXISTS (SELECT 1 FROM replica WHERE ${ALIVE}) AS served`;
