import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Attempt, Connector, Context, Destination, JsonObject, Log } from '../../../src/connector.ts';
import { REASONS } from '../../../src/model.ts';
import type { Outcome, Sighting } from '../../../src/outcome.ts';
import type { Faults } from '../../../src/sandbox/faults.ts';
import { openDestination } from '../../support/destination.ts';
import { makeItem, makePayload } from '../../support/item.ts';

/** A connector beside a service that plays along: what `connectorContract` needs to judge it. */
export interface ConnectorFixture {
  connector: Connector;
  /** Work against the stand-in; `api_url` and secrets are among them. */
  options: JsonObject;
  /** Laid over `options`: what makes `check()` find something, such as a token that the service refuses. */
  refused: JsonObject;
  /** Texts that must never be seen in an outcome, a log line, a preview, a target or a limit key. */
  secrets: string[];
  /** Absent for a connector that makes no calls. */
  faults?: Faults;
  /** Part of the path of the call that writes, such as `chat.postMessage`. Absent where any call is taken. */
  writePath?: string;
  /** Messages, pages, rows or lines that are there. */
  arrived(): number;
  close(): Promise<void>;
}

/** One test on its stage: it opens destinations and remembers all that could be seen of them. */
export class Scene {
  readonly fixture: ConnectorFixture;
  readonly skip: (reason: string) => void;
  readonly #seen: string[] = [];

  constructor(fixture: ConnectorFixture, skip: (reason: string) => void) {
    this.fixture = fixture;
    this.skip = skip;
  }

  open(context: Partial<Context> = {}, options: JsonObject = {}): Destination {
    const write = (fields: object, message: string) => this.saw([fields, message]);
    const log: Log = { debug: write, info: write, warn: write };
    const all = { ...this.fixture.options, ...options };
    const destination = openDestination(this.fixture.connector, all, { log, ...context });
    this.saw([destination.target, destination.limits]);
    return destination;
  }

  /** Never throws, whatever the connector does; a throw fails the test with its cause. */
  async deliver(destination: Destination, item = makeItem(makePayload())): Promise<Outcome> {
    const outcome = await destination.deliver(item, attempt());
    this.saw(outcome);
    if (outcome.kind !== 'delivered') {
      assert.ok((REASONS as readonly string[]).includes(outcome.reason), inspect(outcome));
      assert.ok(outcome.detail.length < 2000, 'a detail is short enough to be read');
    }
    return outcome;
  }

  /** What the destination sees of one item's earlier try. */
  async find(destination: Destination, item = makeItem(makePayload())): Promise<Sighting> {
    const [seen, ...more] = (await destination.find?.([item], attempt())) ?? [];
    this.saw(seen);
    assert.ok(seen && more.length === 0, 'one item, one sighting');
    return seen;
  }

  delivered(outcome: Outcome | undefined) {
    this.saw(outcome);
    assert.ok(outcome?.kind === 'delivered', inspect(outcome));
    return outcome.receipt;
  }

  saw(thing: unknown): void {
    this.#seen.push(JSON.stringify(thing) ?? '', inspect(thing, { depth: 8 }));
  }

  assertNoSecret(): void {
    const seen = this.#seen.join('\n');
    const told = [...this.fixture.secrets, ...this.fixture.secrets.map(encodeURIComponent)].filter((secret) =>
      seen.includes(secret),
    );
    assert.deepEqual(told, [], 'a secret was seen');
  }
}

export function attempt(): Attempt {
  return { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };
}
