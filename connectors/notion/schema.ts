import { type Client, extractNotionId, type GetDataSourceResponse } from '@notionhq/client';
import { halt } from 'versive-relay/connector';
import { call, Ended } from './errors.ts';

/** A property of the data source, as far as values for it need to be known. */
export interface Property {
  name: string;
  type: string;
  /** Names of the options of select, multi_select and status. */
  options: string[];
}

export interface Schema {
  dataSource: string;
  /** By name. */
  properties: Map<string, Property>;
}

/** What the config names: an id of a database or of a data source, or the address that the browser shows. */
export interface Place {
  /** With dashes. */
  id: string;
  first: 'database' | 'data source';
}

/** After so many milliseconds a schema is read again, so that a property that the team adds is seen without a restart. */
const SCHEMA_AGE = 600_000;

/** Where `data_source` or `database` points. An address holds the database's id, whatever option it is given to. */
export function readPlace(text: string, first: Place['first']): Place | undefined {
  const id = extractNotionId(text);
  if (id === null) return undefined;
  return { id, first: /^https?:/i.test(text.trim()) ? 'database' : first };
}

/** Finds the data source and keeps its schema. */
export class SchemaReader {
  readonly #client: Client;
  readonly #place: Place;
  #dataSource: string | undefined;
  #kept: { schema: Schema; at: number } | undefined;

  constructor(client: Client, place: Place) {
    this.#client = client;
    this.#place = place;
  }

  /** What was read last, however old. */
  get kept(): Schema | undefined {
    return this.#kept?.schema;
  }

  /**
   * Runs with the schema. If that ends for a reason that a newer schema may remove, it runs once more with it.
   * @throws Ended
   */
  async using<T>(run: (schema: Schema) => Promise<T>): Promise<T> {
    const kept = this.#kept;
    if (!kept || Date.now() - kept.at > SCHEMA_AGE) return run(await this.read());
    try {
      return await run(kept.schema);
    } catch (error) {
      if (!(error instanceof Ended && mayBeStale(error))) throw error;
      return run(await this.read());
    }
  }

  /** @throws Ended */
  async read(): Promise<Schema> {
    const answer = this.#dataSource === undefined ? await this.#find() : await this.#dataSourceOf(this.#dataSource);
    this.#dataSource = answer.id;
    const properties = Object.values(answer.properties).map((property): [string, Property] => {
      const config = (property as unknown as Record<string, unknown>)[property.type] ?? {};
      const { options = [] } = config as { options?: { name: string }[] };
      return [property.name, { name: property.name, type: property.type, options: options.map(({ name }) => name) }];
    });
    const schema = { dataSource: answer.id, properties: new Map(properties) };
    this.#kept = { schema, at: Date.now() };
    return schema;
  }

  async #find(): Promise<GetDataSourceResponse> {
    const { id, first } = this.#place;
    const looks = [async () => this.#dataSourceOf(await this.#onlySourceOf(id)), () => this.#dataSourceOf(id)];
    if (first === 'data source') looks.reverse();
    let missing: unknown;
    for (const look of looks) {
      try {
        return await look();
      } catch (error) {
        // An id of the other kind is answered with 404, or with 400 when it is something else altogether.
        if (!(error instanceof Ended && [400, 404].includes(error.answer?.status ?? 0))) throw error;
        missing ??= error;
      }
    }
    throw missing;
  }

  #dataSourceOf(id: string): Promise<GetDataSourceResponse> {
    return call('read', () => this.#client.dataSources.retrieve({ data_source_id: id }));
  }

  async #onlySourceOf(id: string): Promise<string> {
    const database = await call('read', () => this.#client.databases.retrieve({ database_id: id }));
    const sources = 'data_sources' in database ? database.data_sources : [];
    const [only] = sources;
    if (only && sources.length === 1) return only.id;
    const names = sources.map((source) => `"${source.name}" (${source.id})`).join(', ');
    throw new Ended(
      halt(
        'invalid',
        `the database has ${sources.length} data sources${names === '' ? '' : `: ${names}`}`,
        'Set `data_source:` to the id of the one to write to, in place of the database.',
      ),
    );
  }
}

function mayBeStale({ outcome, answer }: Ended): boolean {
  if (answer) return answer.status === 404 || answer.code === 'validation_error';
  return outcome.kind === 'halt' || outcome.kind === 'reject';
}
