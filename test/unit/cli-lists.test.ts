import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parseMoment, showMoment } from '../../src/cli/moment.ts';
import type { JsonObject } from '../../src/model.ts';
import { lockStore } from '../../src/store/lock.ts';
import { openStore } from '../../src/store/open.ts';
import { pages } from '../../src/store/pages.ts';
import type { PageRequest } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';

const BIN = path.resolve(import.meta.dirname, '../../src/bin.js');
const HOUR = 3_600_000;

const CONFIG = `
store: ./relay.db
timezone: Europe/Berlin
sources:
  versive: { secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
  beta: { connector: file, path: ./beta.jsonl }
  dormant: { connector: file, path: ./dormant.jsonl, enabled: false }
routes:
  - { name: Enterprise, to: [alpha, beta, dormant] }
`;

let folder: string;
let shell: ChildProcess;
let store: Awaited<ReturnType<typeof openStore>>;

interface Ran {
  code: number;
  out: string;
  err: string;
}

/**
 * Another process that runs one verb after the other, each as main.ts does: starting a process for each would take the
 * test most of its time.
 */
const SHELL = `
  const load = (file) => import(new URL(file, ${JSON.stringify(import.meta.resolve('../../src/'))}));
  const { program } = await load('cli/program.ts');
  const { printError } = await load('cli/common.ts');
  process.on('message', async (argv) => {
    const ran = { code: 0, out: '', err: '' };
    process.stdout.write = (text) => ((ran.out += text), true);
    process.stderr.write = (text) => ((ran.err += text), true);
    try {
      await (await program(argv, '0')).parseAsync(argv, { from: 'user' });
    } catch (error) {
      printError(error);
      ran.code = error.exitCode;
    }
    process.send(ran);
  });`;

async function run(...args: string[]): Promise<Ran> {
  const answer = once(shell, 'message');
  shell.send([...args, '--config', path.join(folder, 'config.yaml')]);
  const [ran] = (await answer) as [Ran];
  return ran;
}

async function json(...args: string[]): Promise<JsonObject[]> {
  const { code, out, err } = await run(...args, '--json');
  assert.equal(code, 0, err);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
}

const ids = (objects: JsonObject[]) => objects.map(({ id }) => id).join(' ');

/** e1: d1 delivered at alpha, d2 at the halted beta; e2: d3 failed at alpha, d4 at dormant, d5 at gone; e3, e4 stray. */
async function fill(): Promise<void> {
  const old = Date.now() - 48 * HOUR;
  const said = Buffer.from('{"transcript":"words of a participant"}');
  const routed = { routes: ['Enterprise'], body: said };
  await store.accept(
    newEvent({ ...routed, svixId: 'msg_a', subject: 'int_a', receivedAt: old, destinations: ['alpha', 'beta'] }),
  );
  await store.accept(
    newEvent({
      ...routed,
      subject: 'int_b',
      study: 's_b',
      receivedAt: old + HOUR,
      destinations: ['alpha', 'dormant', 'gone'],
    }),
  );
  await store.accept(
    newEvent({ state: 'unrouted', study: 'evil \u001b[31m', receivedAt: Date.now(), routes: [], destinations: [] }),
  );
  await store.accept(
    newEvent({
      state: 'quarantined',
      reason: 'the body is not JSON',
      subject: '',
      study: '',
      receivedAt: Date.now(),
      routes: [],
      destinations: [],
    }),
  );
  const [first, second] = await store.claim({
    destination: 'alpha',
    target: 't',
    now: Date.now(),
    limit: 2,
    except: [],
  });
  const receipt = { url: 'https://slack.test/archives/C0123456789/p1700000000000000?thread_ts=1700000000.000000' };
  await store.record(first?.token ?? '', 't', { state: 'delivered', receipt });
  const settlement = {
    state: 'failed',
    reason: 'invalid',
    detail: 'invalid_blocks',
    fix: 'Shorten `message:`.',
  } as const;
  await store.record(second?.token ?? '', 't', settlement);
  await store.setHalt('beta', { reason: 'auth', detail: 'invalid_auth', fix: 'Put a new token in.', since: old });
}

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'relay-lists-'));
  await writeFile(path.join(folder, 'config.yaml'), CONFIG);
  shell = spawn(process.execPath, ['--input-type=module', '--eval', SHELL], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
});
after(async () => {
  shell.disconnect();
  await once(shell, 'exit');
  await store.close();
  await rm(folder, { recursive: true });
});

test('a list before there is a store says so, and makes none', async () => {
  const argv = [BIN, 'events', '--config', path.join(folder, 'config.yaml')];
  await assert.rejects(promisify(execFile)(process.execPath, argv), {
    code: 1,
    stdout: '',
    stderr: /no store at .*relay\.db/,
  });
  assert.deepEqual(await readdir(folder), ['config.yaml']);
  store = await openStore(path.join(folder, 'relay.db'));
  assert.match((await run('deliveries')).err, /There are no deliveries yet/);
  await fill();
});

describe('events', () => {
  test('--json has exactly the documented shape', async () => {
    const [quarantined, , , first] = await json('events');
    assert.deepEqual(Object.keys(first ?? {}), [
      'id',
      'source',
      'svix_id',
      'event_type',
      'subject',
      'study',
      'state',
      'received_at',
      'routes',
      'deliveries',
    ]);
    const { received_at: received, deliveries, ...rest } = first as JsonObject & { deliveries: JsonObject[] };
    assert.deepEqual(rest, {
      id: 'e1',
      source: 'versive',
      svix_id: 'msg_a',
      event_type: 'interview.completed',
      subject: 'int_a',
      study: 'study_1',
      state: 'routed',
      routes: ['Enterprise'],
    });
    assert.match(String(received), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(deliveries[0], {
      id: 'd1',
      event: 'e1',
      subject: 'int_a',
      destination: 'alpha',
      state: 'delivered',
      attempts: 1,
      next_attempt_at: null,
      reason: null,
      detail: null,
      fix: null,
      url: 'https://slack.test/archives/C0123456789/p1700000000000000?thread_ts=1700000000.000000',
    });
    assert.equal(quarantined?.reason, 'the body is not JSON');
  });

  test('filters and limits', async () => {
    const cases: [string[], string][] = [
      [['--state', 'unrouted'], 'e3'],
      [['--destination', 'beta'], 'e1'],
      [['--route', 'Enterprise', '--limit', '1'], 'e2'],
      [['--study', 's_b'], 'e2'],
      [['--interview', 'int_a'], 'e1'],
      [['--since', '1h'], 'e4 e3'],
      [['--until', '1h'], 'e2 e1'],
    ];
    for (const [args, expected] of cases) assert.equal(ids(await json('events', ...args)), expected, args.join(' '));
  });

  test('the table and the detail are for people, and show nothing that was said', async () => {
    const table = await run('events');
    const detail = await run('events', 'e2');
    assert.match(table.out, /^ID +RECEIVED +STATE/);
    assert.match(table.out, /e2 .* routed .* int_b .* Enterprise .* 1 failed, 2 held/);
    assert.match(table.out, /quarantined\n +the body is not JSON/);
    assert.match(detail.out, /study +s_b/);
    assert.match(detail.out, /fix: Shorten `message:`\./);
    for (const { out } of [table, detail]) {
      assert.doesNotMatch(out, /participant/);
      assert.ok(!out.includes('\u001b'), 'neither colour nor the escape sequence of an event');
    }
  });
});

describe('deliveries', () => {
  test('what cannot flow is shown as held, with the reason and the fix', async () => {
    const held = await json('deliveries', '--state', 'held');
    assert.equal(ids(held), 'd5 d4 d2');
    assert.deepEqual(
      held.map(({ state, reason, detail }) => [state, reason, detail]),
      [
        ['held', null, 'the config has no destination of this name'],
        ['held', null, 'the destination is disabled'],
        ['held', 'auth', 'invalid_auth'],
      ],
    );
    assert.match(String(held[2]?.fix), /^Put a new token in\..*resume beta/);
  });

  test('the table keeps links whole, and gives the fix of each failure and hold', async () => {
    const { out } = await run('deliveries');
    assert.match(out, / https:\/\/slack\.test\S+thread_ts=1700000000\.000000\n/);
    assert.match(out, /invalid: invalid_blocks\n +fix: Shorten/);
    assert.equal(out.match(/beta is held\.\nauth: invalid_auth\nfix: Put a new token in/g)?.length, 1);
  });

  test('one is shown by its id; what is not there is said', async () => {
    const one = await json('deliveries', 'd3');
    const none = await run('deliveries', 'd99');
    const list = await run('deliveries', '--destination', 'alpa', '--since', '1m');
    const time = await run('deliveries', '--since', 'yesterday');
    assert.equal(ids(one), 'd3');
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.err, /no delivery "d99"/);
    assert.equal(list.code, 1);
    assert.match(list.err, /no deliveries with --destination alpa --since 1m[\s\S]*Did you mean "alpha"/);
    assert.equal(time.code, 2);
    assert.match(time.err, /"yesterday" is no time/);
  });
});

describe('pause and resume', () => {
  test('with the relay stopped and running', async () => {
    await store.accept(newEvent({ destinations: ['alpha'], receivedAt: Date.now() + HOUR }));
    const paused = await run('pause', 'alpha');
    assert.equal(paused.code, 0, paused.err);
    assert.match(paused.out, /alpha is paused: 1 delivery waits\. No relay is running/);
    assert.equal((await store.lanes()).find(({ destination }) => destination === 'alpha')?.paused, true);
    assert.equal(ids(await json('deliveries', '--state', 'held', '--destination', 'alpha')), 'd6');

    const lock = await lockStore(path.join(folder, 'relay.db'));
    assert.match((await run('pause', 'alpha')).out, /^alpha was paused already: 1 delivery waits\.\nLet it flow/);
    const resumed = await run('resume', 'alpha');
    assert.match(resumed.out, /alpha was paused; now it flows: 1 delivery waits\.\nThe running relay delivers/);
    assert.match((await run('pause', 'alpha')).out, /stops delivering to it within a second; an attempt/);
    await run('resume', 'alpha');
    await lock.release();
    assert.equal((await store.lanes()).find(({ destination }) => destination === 'alpha')?.paused, false);
    assert.ok(((await store.nextDue('alpha')) ?? Number.POSITIVE_INFINITY) <= Date.now());
  });

  test('no more is said than is true of a lane that flows, or where nothing waits', async () => {
    await writeFile(
      path.join(folder, 'config.yaml'),
      `${CONFIG}  - { name: Quiet, to: quiet }\n`.replace(
        'destinations:\n',
        'destinations:\n  quiet: { connector: file, path: ./quiet.jsonl }\n',
      ),
    );
    const lock = await lockStore(path.join(folder, 'relay.db'));
    try {
      assert.equal(
        (await run('resume', 'quiet')).out,
        'quiet was neither paused nor halted and flows: no delivery waits.\n',
      );
      assert.match(
        (await run('pause', 'quiet')).out,
        /^quiet is paused: no delivery waits\. The running relay holds what comes,/,
      );
      assert.equal((await run('resume', 'quiet')).out, 'quiet was paused; now it flows: no delivery waits.\n');
    } finally {
      await lock.release();
      await writeFile(path.join(folder, 'config.yaml'), CONFIG);
    }
  });

  test('resume takes a halt away, and repeats its fix', async () => {
    const { out } = await run('resume', 'beta');
    assert.match(out, /beta was halted \(auth: invalid_auth\); now it flows/);
    assert.match(out, /Put a new token in\./);
    assert.equal((await store.lanes()).find(({ destination }) => destination === 'beta')?.halt, undefined);
  });

  test('a destination that nobody knows changes nothing', async () => {
    const before = await store.lanes();
    for (const verb of ['pause', 'resume']) {
      const { code, err } = await run(verb, 'alpa');
      assert.equal(code, 1);
      assert.match(err, /no destination "alpa"[\s\S]*Did you mean "alpha"/);
    }
    assert.deepEqual(await store.lanes(), before);
  });
});

test('send --to says what holds the delivery, and how to let it flow', async () => {
  const lock = await lockStore(path.join(folder, 'relay.db'));
  const disabled = await run('send', '--to', 'dormant');
  await run('pause', 'beta');
  const paused = await run('send', '--to', 'beta');
  const unknown = await run('send', '--to', 'alpa');
  await lock.release();
  assert.match(disabled.err, /held {2}the destination is disabled\n {2}fix Take `enabled: false` out/);
  assert.match(paused.err, /held {2}the destination is paused\n {2}fix .*`versive-relay resume beta`/);
  assert.match(unknown.err, /no destination "alpa"\. Did you mean "alpha"\?/);
});

test('a list is read page by page, to its end or its limit', async () => {
  const rows = Array.from({ length: 2500 }, (_, index) => ({ id: `e${2500 - index}` }));
  const read = async (limit?: number) => {
    const list = async (page: PageRequest) => {
      const from = rows.findIndex(({ id }) => id === page.before) + 1;
      return rows.slice(from, from + page.limit);
    };
    return (await Array.fromAsync(pages(list, limit))).flat();
  };
  assert.deepEqual(await read(), rows);
  assert.deepEqual(await read(2000), rows.slice(0, 2000));
  assert.deepEqual(await read(7), rows.slice(0, 7));
});

test('times are read and shown in the timezone of the config', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const cases: [string, string][] = [
    ['2h', '2026-11-23T10:00:00Z'],
    ['2026-11-23', '2026-11-22T23:00:00Z'],
    ['2026-07-01T12:00', '2026-07-01T10:00:00Z'],
    ['2026-07-01 12:00:30', '2026-07-01T10:00:30Z'],
    ['2026-07-01T12:00Z', '2026-07-01T12:00:00Z'],
    ['2026-07-01T12:00:00.5-05:30', '2026-07-01T17:30:00.5Z'],
    // The day on which clocks go forward at 2:00.
    ['2026-03-29T01:59', '2026-03-29T00:59:00Z'],
    ['2026-03-29T03:00', '2026-03-29T01:00:00Z'],
    ['2026-03-29', '2026-03-28T23:00:00Z'],
  ];
  for (const [text, expected] of cases) {
    assert.equal(parseMoment(text, 'Europe/Berlin', now), Date.parse(expected), text);
  }
  for (const wrong of ['', 'yesterday', '2026-13-01', '2026-11-23T25:00', '23.11.2026', '-2h', '1700000000']) {
    assert.throws(() => parseMoment(wrong, 'UTC', now), { code: 'RELAY_USAGE', exitCode: 2 }, wrong);
  }
  assert.equal(showMoment(now, 'Europe/Berlin'), '23 Nov 2026, 13:00:00');
});
