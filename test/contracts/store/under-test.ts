import assert from 'node:assert/strict';
import type { DeliveryState } from '../../../src/model.ts';
import type { Claim, ClaimRequest, NewEvent, Settlement, Store } from '../../../src/store/store.ts';

export const TARGET = 'slack:C1';

let made = 0;

export function newEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  made += 1;
  return {
    source: 'versive',
    svixId: `msg_${made}`,
    eventType: 'interview.completed',
    subject: `int_${made}`,
    study: 'study_1',
    state: 'routed',
    receivedAt: 1000,
    routes: ['everything'],
    destinations: ['slack'],
    body: Buffer.from('{}'),
    ...overrides,
  };
}

/** Due again at a time, after the service failed. */
export function again(nextAttemptAt: number, counted = true): Settlement {
  return { state: 'pending', nextAttemptAt, reason: 'server', detail: '500', counted };
}

export function subjects(claims: Claim[]): string[] {
  return claims.map(({ delivery }) => delivery.subject);
}

/** A store as one test has it, and short ways to claim from it. */
export interface OpenedStore {
  store: Store;
  /** Closes the store, and opens it again as another process would. */
  reopen(): Promise<Store>;
  close(): Promise<void>;
}

export class StoreUnderTest {
  readonly #open: () => Promise<OpenedStore>;
  #opened: OpenedStore | undefined;
  #store: Store | undefined;

  constructor(open: () => Promise<OpenedStore>) {
    this.#open = open;
  }

  get store(): Store {
    return this.#store ?? assert.fail('no test is running');
  }

  async start(): Promise<void> {
    this.#opened = await this.#open();
    this.#store = this.#opened.store;
  }

  async reopen(): Promise<void> {
    this.#store = await this.#opened?.reopen();
  }

  async end(): Promise<void> {
    await this.#opened?.close();
  }

  claim(request: Partial<ClaimRequest> = {}): Promise<Claim[]> {
    return this.store.claim({
      destination: 'slack',
      target: TARGET,
      now: 1_000_000,
      limit: 10,
      except: [],
      ...request,
    });
  }

  async claimOne(request: Partial<ClaimRequest> = {}): Promise<Claim> {
    const [first] = await this.claim({ limit: 1, ...request });
    return first ?? assert.fail('nothing was due');
  }

  async stateOf(delivery: string): Promise<DeliveryState | undefined> {
    return (await this.store.delivery(delivery))?.state;
  }
}
