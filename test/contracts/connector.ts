import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { z } from 'zod';
import type { Drawn } from '../../src/connector.ts';
import type { Payload } from '../../src/model.ts';
import type { Outcome } from '../../src/outcome.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { hostilePayloads, hostilePayloadsByTitle } from './connector/hostile.ts';
import { attempt, type ConnectorFixture, Scene } from './connector/scene.ts';

/** Judges a connector by the contract of src/connector.ts. `open` gives a fresh fixture for each test. */
export function connectorContract(name: string, open: () => Promise<ConnectorFixture>): void {
  const scene = (title: string, run: (scene: Scene) => Promise<void>) =>
    it(title, { timeout: 60_000 }, async (t) => {
      const fixture = await open();
      try {
        const stage = new Scene(fixture, (reason) => t.skip(reason));
        await run(stage);
        stage.assertNoSecret();
      } finally {
        await fixture.close();
      }
    });

  describe(`${name}: the connector contract`, () => {
    scene('its options are a strict object, and each one is described', async ({ fixture }) => {
      const schema = z.toJSONSchema(fixture.connector.options, { io: 'input', unrepresentable: 'any' });
      assert.equal(schema.additionalProperties, false, 'an unknown option is an error');
      const undescribed = Object.entries(schema.properties ?? {})
        .filter(([, option]) => typeof option !== 'object' || !option.description)
        .map(([option]) => option);
      assert.deepEqual(undescribed, []);
      assert.notEqual(fixture.connector.description.trim(), '');
    });

    scene('it says what it writes to and how fast, without a call', async (stage) => {
      const { fixture } = stage;
      const destination = stage.open({ fetch: noCalls });
      assert.equal(destination.target, stage.open({ fetch: noCalls }).target, 'the target is the same each time');
      assert.ok(destination.target.startsWith(`${fixture.connector.name}:`), destination.target);
      assert.notEqual(destination.limits.key, '');
      assert.ok(destination.limits.calls > 0 && destination.limits.per > 0);
      await destination.close?.();
    });

    scene('a delivery arrives, and its receipt is JSON', async (stage) => {
      const outcome = await stage.deliver(stage.open());
      const receipt = stage.delivered(outcome);
      assert.deepEqual(JSON.parse(JSON.stringify(receipt)), receipt);
      assert.equal(stage.fixture.arrived(), 1);
      if (receipt.url !== undefined) assert.ok(URL.canParse(receipt.url), receipt.url);
    });

    scene('delivering again with the receipt leaves one', async (stage) => {
      const first = stage.delivered(await stage.deliver(stage.open()));
      // Through a fresh destination, as after a restart, and with the receipt as the ledger keeps it.
      const kept = JSON.parse(JSON.stringify(first));
      const second = stage.delivered(await stage.deliver(stage.open(), makeItem(makePayload(), { receipt: kept })));
      assert.equal(stage.fixture.arrived(), 1);
      stage.delivered(await stage.deliver(stage.open(), makeItem(makePayload(), { receipt: second })));
      assert.equal(stage.fixture.arrived(), 1);
    });

    scene('looking for what was never sent finds nothing, and sends nothing', async (stage) => {
      const destination = stage.open();
      if (destination.find === undefined) return stage.skip('cannot look');
      assert.equal((await stage.find(destination)).kind, 'absent');
      assert.equal(stage.fixture.arrived(), 0);
      stage.delivered(await stage.deliver(destination));
      const other = makeItem(withId('other'));
      assert.equal((await stage.find(destination, other)).kind, 'absent', 'of another interview');
      assert.equal(stage.fixture.arrived(), 1);
    });

    scene('what an earlier try left is found, and goes on as an update that leaves one', async (stage) => {
      if (stage.open().find === undefined) return stage.skip('cannot look');
      const receipt = stage.delivered(await stage.deliver(stage.open()));
      // Nobody kept the receipt: the answer was lost, or the relay was killed.
      const seen = await stage.find(stage.open());
      assert.ok(seen.kind === 'found', inspect(seen));
      assert.deepEqual(JSON.parse(JSON.stringify(seen.receipt)), seen.receipt);
      const item = makeItem(makePayload(), { receipt: seen.receipt });
      const again = stage.delivered(await stage.deliver(stage.open(), item));
      assert.equal(stage.fixture.arrived(), 1);
      assert.equal(again.url, receipt.url);
      // With a receipt in the ledger too, as after an update that was cut off.
      assert.equal((await stage.find(stage.open(), makeItem(makePayload(), { receipt }))).kind, 'found');
    });

    scene('what an earlier generation left is not taken for what is looked for', async (stage) => {
      const destination = stage.open();
      if (destination.find === undefined) return stage.skip('cannot look');
      const first = stage.delivered(await stage.deliver(destination));
      const identity = { ...makeItem().identity, generation: 2 };
      const second = makeItem(makePayload(), { identity, earlier: [first] });
      assert.equal((await stage.find(destination, second)).kind, 'absent');
      const receipt = stage.delivered(await stage.deliver(destination, second));
      assert.equal(stage.fixture.arrived(), 2);
      const seen = await stage.find(destination, makeItem(makePayload(), { identity, earlier: [first] }));
      assert.ok(seen.kind === 'found', inspect(seen));
      assert.equal(seen.receipt.url, receipt.url);
    });

    scene('several are looked for at once, each with its own sighting, in order', async (stage) => {
      const destination = stage.open();
      if (destination.find === undefined) return stage.skip('cannot look');
      for (const id of ['b', 'd']) stage.delivered(await stage.deliver(destination, makeItem(withId(id))));
      const items = ['a', 'b', 'c', 'd'].map((id) => makeItem(withId(id)));
      const seen = await destination.find(items, attempt());
      stage.saw(seen);
      assert.deepEqual(
        seen.map(({ kind }) => kind),
        ['absent', 'found', 'absent', 'found'],
      );
    });

    scene('a look that the service refuses for its rate says when to come back', async (stage) => {
      const { fixture } = stage;
      const destination = stage.open();
      if (destination.find === undefined || fixture.faults === undefined) return stage.skip('makes no calls to look');
      fixture.faults.inject({ kind: '429', times: 1, retryAfter: 7 });
      const seen = await stage.find(destination);
      assert.ok(seen.kind === 'retry' && seen.reason === 'rate_limited' && seen.afterMs === 7000, inspect(seen));
      for (const kind of ['500', 'reset'] as const) {
        fixture.faults.inject({ kind, times: 1 });
        assert.match((await stage.find(destination)).kind, /^(retry|unknown)$/);
      }
      assert.equal((await stage.find(destination)).kind, 'absent');
    });

    scene('a preview makes no call and is JSON', async (stage) => {
      const destination = stage.open({ fetch: noCalls });
      if (destination.preview === undefined) return stage.skip('has no preview');
      const previews = [makePayload(), ...hostilePayloads()].map((payload) => destination.preview?.(makeItem(payload)));
      for (const preview of previews) {
        stage.saw(preview);
        assert.deepEqual(JSON.parse(JSON.stringify(preview)), preview);
      }
      assert.equal(stage.fixture.arrived(), 0);
    });

    scene('a drawing makes no call, and fits a terminal', async (stage) => {
      const destination = stage.open({ fetch: noCalls });
      if (destination.draw === undefined) return stage.skip('draws nothing of its own');
      for (const payload of [makePayload(), ...hostilePayloads()]) {
        const lines = destination.draw(makeItem(payload)).map((line) => line.map(textOf).join(''));
        stage.saw(lines);
        assert.ok(lines.length < 200, 'long texts are clipped');
        for (const line of lines) assert.ok(line.length <= 80 || line.includes('://'), line);
        assert.doesNotMatch(lines.join(''), /\n/);
      }
      assert.equal(stage.fixture.arrived(), 0);
    });

    scene('check() of good options finds nothing and sends nothing', async (stage) => {
      const destination = stage.open();
      if (destination.check === undefined) return stage.skip('has no check');
      assert.deepEqual(await destination.check(), []);
      assert.equal(stage.fixture.arrived(), 0);
    });

    scene('check() of refused options says what to do', async (stage) => {
      const destination = stage.open({}, stage.fixture.refused);
      if (destination.check === undefined) return stage.skip('has no check');
      const findings = await destination.check();
      stage.saw(findings);
      assert.notEqual(findings.length, 0);
      for (const finding of findings) {
        assert.match(finding.level, /^(error|warning)$/);
        assert.ok(finding.message.length > 10 && finding.fix.length > 10, inspect(finding));
      }
    });

    scene('a check that cannot reach the service is a finding', async (stage) => {
      if (stage.fixture.faults === undefined) return stage.skip('makes no calls');
      const closed = await closedPort();
      const destination = stage.open({ fetch: (_, init) => fetch(closed, init) });
      if (destination.check === undefined) return stage.skip('has no check');
      const findings = await destination.check();
      stage.saw(findings);
      // The webhook's check asks nothing of an endpoint that might take any call for an event.
      if (stage.fixture.writePath !== undefined) assert.notEqual(findings.length, 0);
    });

    for (const [title, payload] of hostilePayloadsByTitle()) {
      scene(`survives ${title}`, async (stage) => {
        const outcome = await stage.deliver(stage.open(), makeItem(payload()));
        if (outcome.kind === 'reject') assert.ok(outcome.fix.length > 10, inspect(outcome));
        else assert.equal(outcome.kind, 'delivered', inspect(outcome));
      });
    }

    scene('several at once arrive, each with its own receipt, in order', async (stage) => {
      const destination = stage.open();
      if (destination.deliverMany === undefined) return stage.skip('has no deliverMany');
      assert.ok((destination.limits.batch ?? 0) > 1, 'limits.batch says how many');
      const items = ['a', 'b', 'c'].map((id) => makeItem(withId(id)));
      const outcomes = await destination.deliverMany(items, attempt());
      stage.saw(outcomes);
      const receipts = outcomes.map((outcome) => stage.delivered(outcome));
      assert.equal(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size, 3);
      assert.equal(stage.fixture.arrived(), 3);

      // A replay, a new one and a replay in one batch: the receipts stay where they belong.
      const mixed = [
        makeItem(withId('b'), { receipt: receipts[1] }),
        makeItem(withId('d')),
        makeItem(withId('a'), { receipt: receipts[0] }),
      ];
      const again = (await destination.deliverMany(mixed, attempt())).map((outcome) => stage.delivered(outcome));
      assert.equal(stage.fixture.arrived(), 4);
      assert.equal(new Set(again.map((receipt) => JSON.stringify(receipt))).size, 3);
      const urls = [again[0]?.url, again[2]?.url];
      assert.deepEqual(urls, [receipts[1]?.url, receipts[0]?.url]);
    });

    scene('a notice arrives', async (stage) => {
      const destination = stage.open();
      if (destination.notify === undefined) return stage.skip('has no notify');
      const outcome = await destination.notify({ title: 'Three deliveries failed', lines: ['<!channel> & so on'] });
      stage.delivered(outcome);
      assert.equal(stage.fixture.arrived(), 1);
    });

    const failures: Failure[] = [
      {
        title: '429 with Retry-After is a retry after so long',
        fault: { kind: '429', times: 1, retryAfter: 7 },
        judge: (outcome) => {
          assert.equal(outcome.kind, 'retry', inspect(outcome));
          if (outcome.kind !== 'retry') return;
          assert.equal(outcome.reason, 'rate_limited');
          assert.equal(outcome.afterMs, 7000);
        },
      },
      {
        title: '500 is a retry or an unknown end',
        fault: { kind: '500', times: 1 },
        judge: expects(['retry', 'unknown'], 'server'),
      },
      {
        title: 'a write that hangs has an unknown end',
        fault: { kind: 'hang', times: 1 },
        judge: expects(['unknown'], 'timeout'),
        fetch: shortFetch,
      },
      {
        title: 'a write whose connection breaks has an unknown end',
        fault: { kind: 'reset', times: 1 },
        judge: expects(['unknown'], 'network'),
      },
    ];
    for (const { title, fault, judge, fetch } of failures) {
      scene(title, async (stage) => {
        const { fixture } = stage;
        if (fixture.faults === undefined) return stage.skip('makes no calls');
        const { writePath } = fixture;
        // On the call that writes; and where reads come before it, on the first of them.
        fixture.faults.inject(writePath === undefined ? fault : { ...fault, path: writePath });
        judge(await stage.deliver(stage.open(fetch && { fetch })));
        assert.equal(fixture.arrived(), 0);
        fixture.faults.clear();
        if (writePath !== undefined) {
          fixture.faults.inject(fault);
          const outcome = await stage.deliver(stage.open(fetch && { fetch }));
          assert.match(outcome.kind, /^(retry|unknown|delivered)$/, inspect(outcome));
          fixture.faults.clear();
        }
        if (fixture.arrived() === 0) stage.delivered(await stage.deliver(stage.open()));
        assert.equal(fixture.arrived(), 1, 'it arrives once the service is well again');
      });
    }

    scene('a write whose answer is lost has an unknown end', async (stage) => {
      const { fixture } = stage;
      if (fixture.faults === undefined) return stage.skip('makes no calls');
      const path = fixture.writePath === undefined ? {} : { path: fixture.writePath };
      fixture.faults.inject({ kind: 'reset-after-write', times: 1, ...path });
      expects(['unknown'], 'network')(await stage.deliver(stage.open()));
      assert.equal(fixture.arrived(), 1);
    });

    scene('a refused connection is a retry', async (stage) => {
      if (stage.fixture.faults === undefined) return stage.skip('makes no calls');
      const closed = await closedPort();
      const outcome = await stage.deliver(stage.open({ fetch: (_, init) => fetch(closed, init) }));
      expects(['retry'], 'network')(outcome);
    });

    scene('a broken connection whose error tells a secret does not pass it on', async (stage) => {
      if (stage.fixture.faults === undefined) return stage.skip('makes no calls');
      const cause = Object.assign(new Error(`read ECONNRESET (sent ${stage.fixture.secrets.join(' ')})`), {
        code: 'ECONNRESET',
      });
      const fetch = () => Promise.reject(new TypeError('fetch failed', { cause }));
      const outcome = await stage.deliver(stage.open({ fetch }));
      assert.match(outcome.kind, /^(retry|unknown)$/, inspect(outcome));
    });

    scene('an answer that is no JSON is no success', async (stage) => {
      // A connector without a service to understand, such as the webhook, names no path.
      if (stage.fixture.writePath === undefined) return stage.skip('takes any answer');
      const page = '<html><body>Please sign in to the guest network</body></html>';
      const fetch = async () => new Response(page, { headers: { 'content-type': 'text/html' } });
      const outcome = await stage.deliver(stage.open({ fetch }));
      assert.notEqual(outcome.kind, 'delivered');
    });
  });
}

interface Failure {
  title: string;
  fault: Fault;
  judge: (outcome: Outcome) => void;
  fetch?: typeof fetch;
}

function expects(kinds: Outcome['kind'][], reason: string): (outcome: Outcome) => void {
  return (outcome) => {
    assert.ok(kinds.includes(outcome.kind), inspect(outcome));
    assert.equal(outcome.kind === 'delivered' ? undefined : outcome.reason, reason, inspect(outcome));
  };
}

function textOf(piece: Drawn): string {
  return typeof piece === 'string' ? piece : 'bold' in piece ? piece.bold : piece.dim;
}

const noCalls: typeof fetch = () => {
  throw new Error('this must make no call');
};

/** As the relay's, but each call may take 300 ms. */
const shortFetch: typeof fetch = (input, init) => {
  const limit = AbortSignal.timeout(300);
  return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, limit]) : limit });
};

/** The address of a port that nothing listens on. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/`;
}

function withId(id: string): Payload {
  const payload = makePayload();
  return { ...payload, interview: { ...payload.interview, id: `itv_${id}` } };
}
