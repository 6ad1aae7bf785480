import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { makePayload } from '../support/item.ts';

const BIN = path.join(import.meta.dirname, '../../src/bin.js');

const CONFIG = `
store: ./relay.db
sources:
  versive:
    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    when: { interview.is_mock: false }
destinations:
  alerts: { connector: webhook, url: "http://127.0.0.1:1/", body: { text: "{{ study.title }}: {{ interview.title | url_decode }}" } }
  copy: { connector: file, path: copy.jsonl }
routes:
  - name: Long ones
    when: { interview.active_time: { gte: 600 } }
    to: alerts
  - name: All of a study
    when: { study.id: [study_123, study_456] }
    to: [copy, alerts]
`;

let folder = '';
let stored = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'relay-explain-'));
  await writeFile(path.join(folder, 'config.yaml'), CONFIG);
  await writeFile(path.join(folder, 'event.json'), JSON.stringify(makePayload()));
  await writeFile(path.join(folder, 'mock.json'), JSON.stringify(makePayload({ interview: { is_mock: true } })));
  await writeFile(path.join(folder, 'odd.json'), JSON.stringify(makePayload({ interview: { title: '100%' } })));
  await writeFile(path.join(folder, 'other.json'), JSON.stringify({ event_type: 'interview.started' }));
  const store = await openStore(path.join(folder, 'relay.db'));
  const accepted = await store.accept({
    source: 'versive',
    svixId: 'msg_7',
    eventType: 'interview.completed',
    subject: 'int_long',
    study: 'study_9',
    state: 'unrouted',
    receivedAt: Date.now(),
    routes: [],
    destinations: [],
    body: Buffer.from(
      JSON.stringify(
        makePayload({ interview: { id: 'int_long', active_time: 700 }, study: { id: 'study_9\u001b[2J\u202e' } }),
      ),
    ),
  });
  stored = accepted.id;
  await store.close();
});

after(() => rm(folder, { recursive: true }));

function relay(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: 30_000, env: { ...process.env, NO_COLOR: '1' } };
    const child = execFile(process.execPath, [BIN, ...argv], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

suite('explain', () => {
  test('shows each route with the values that decided', async () => {
    const { code, stdout, stderr } = await relay('explain', 'event.json');
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      [
        'interview.completed int_0001 of source versive',
        '    ✓ interview.is_mock is false',
        '✗ Long ones',
        '    ✗ interview.active_time ≥ 600: it is 569',
        '✓ All of a study → copy, alerts',
        '    ✓ study.id is any of "study_123", "study_456"',
        'It goes to copy, alerts.',
        '',
      ].join('\n'),
    );
  });

  test('reads a stored event, and prints JSON lines', async () => {
    const { code, stdout } = await relay('explain', stored, '--json');
    assert.equal(code, 0);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      [
        {
          route: 'Long ones',
          matched: true,
          because: [{ path: 'interview.active_time', condition: '≥ 600', value: 700, held: true }],
        },
        {
          route: 'All of a study',
          matched: false,
          because: [
            {
              path: 'study.id',
              condition: 'is any of "study_123", "study_456"',
              value: 'study_9\u001b[2J\u202e',
              held: false,
            },
          ],
        },
      ],
    );
  });

  test('lets no event steer the terminal', async () => {
    const { stdout } = await relay('explain', stored);
    assert.match(stdout, /it is "study_9\\u001b\[2J "/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u);
  });

  test('says why an event meets no route at all', async () => {
    assert.match((await relay('explain', 'mock.json')).stdout, /Source versive refuses it: it is kept as unrouted\./);
    assert.match((await relay('explain', 'other.json')).stdout, /kept as quarantined.*: event_type: /);
  });

  test('--json tells why a route was not asked', async () => {
    const rows = async (...argv: string[]) => {
      const { stdout } = await relay('explain', ...argv, '--json');
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    const refused = await rows('mock.json');
    assert.deepEqual(
      refused.map(({ matched, skipped }) => [matched, skipped]),
      [
        [false, 'source'],
        [false, 'source'],
      ],
    );
    const table = `routes:
  - { name: Off, to: copy, enabled: false }
  - { name: Last, to: copy, stop: true }
  - { name: Below, to: copy }
`;
    await writeFile(path.join(folder, 'stops.yaml'), `${CONFIG.slice(0, CONFIG.indexOf('routes:'))}${table}`);
    assert.deepEqual(await rows('event.json', '--config', 'stops.yaml'), [
      { route: 'Off', matched: false, because: [], skipped: 'disabled' },
      { route: 'Last', matched: true, because: [] },
      { route: 'Below', matched: false, because: [], skipped: 'stopped', stopped_by: 'Last' },
    ]);
  });

  test('shows a group of which nothing held as a tree', async () => {
    const plans = '[{ interview.metadata.plan: pro }, { interview.metadata.plan: team, study.id: study_123 }]';
    const table = `routes:\n  - { name: Plans, when: { interview.active_time: { gte: 60 }, any: ${plans} }, to: copy }\n`;
    await writeFile(path.join(folder, 'groups.yaml'), `${CONFIG.slice(0, CONFIG.indexOf('routes:'))}${table}`);
    const { stdout } = await relay('explain', 'event.json', '--config', 'groups.yaml');
    assert.match(
      stdout,
      /✗ Plans\n {4}✓ interview.active_time ≥ 60\n {4}✗ one of these must hold:\n {8}✗ interview.metadata.plan is "pro": it is "enterprise"\n {8}✗ all of these must hold:\n {12}✗ interview.metadata.plan is "team": it is "enterprise"\n {12}✓ study.id is "study_123"\nNo route takes it/,
    );
  });

  test('tells of a stored event what is recorded while the config has errors; of a payload nothing', async () => {
    await writeFile(path.join(folder, 'bad.yaml'), CONFIG.replace('[copy, alerts]', '[copi, alerts]'));
    const known = await relay('explain', stored, '--config', 'bad.yaml');
    assert.equal(known.code, 0, known.stderr);
    assert.match(known.stderr, /no destination "copi"/);
    assert.match(
      known.stdout,
      /int_long of source versive\nWhen it was received: unrouted\.\n.* unknown: the config has err/,
    );
    assert.equal((await relay('explain', 'event.json', '--config', 'bad.yaml')).code, 78);
    assert.equal((await relay('explain', 'e999', '--config', 'bad.yaml')).code, 1);
  });

  test('says no to an event that is not there', async () => {
    const unknown = await relay('explain', 'e999');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no event e999 in .*relay\.db/);
    assert.equal((await relay('explain', 'nope.json')).code, 1);
  });
});

suite('preview', () => {
  test('shows what each destination would be sent', async () => {
    const { code, stdout } = await relay('preview', 'event.json', '--json');
    assert.equal(code, 0);
    const [copy, alerts] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { destination: string; preview: { body?: unknown } });
    assert.equal(copy?.destination, 'copy');
    assert.equal(alerts?.destination, 'alerts');
    assert.deepEqual(alerts?.preview.body, { text: 'Checkout research: Checkout interview' });
  });

  test('lets no event steer the terminal', async () => {
    const title = 'a\u009b31mb\u202ec';
    await writeFile(path.join(folder, 'evil.json'), JSON.stringify(makePayload({ interview: { title } })));
    const { code, stdout } = await relay('preview', 'evil.json', '--to', 'alerts');
    assert.equal(code, 0);
    assert.match(stdout, /\n {2}body\n {4}text {2}Checkout research: a 31mb c\n/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u);
  });

  test('shows a template that an event breaks, and says no', async () => {
    const { code, stdout } = await relay('preview', 'odd.json', '--to', 'alerts');
    assert.equal(code, 1);
    assert.match(stdout, /It would be rejected: .*url_decode.*URI malformed/);
  });
});
