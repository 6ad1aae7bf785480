import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, readGood, SIGNING_SECRET } from '../support/config.ts';
import { runVerb } from '../support/verb.ts';

const BASE = `sources:
  versive: { secret: ${SIGNING_SECRET}, when: { interview.is_mock: false } }
  open: { secret: ${SIGNING_SECRET} }
destinations:
  alerts:
    connector: slack
    token: xoxb-hunter22
    channel: C0123456789
    message: 'Seen "{{ interview.metadata.note }}" by xoxb-hunter22 of {{ study.title }}: {{ event.received_at | date }}'
  archive: { connector: file, path: out.jsonl, line: { minutes: "{{ interview.active_time | minutes }}", id: "{{ interview.id }}" } }
  off: { connector: file, path: off.jsonl, enabled: false }
  lonely: { connector: file, path: lonely.jsonl }
routes:
  - name: Enterprise
    when: { interview.metadata.plan: enterprise, interview.active_time: { gte: 120 } }
    to: [alerts, off]
  - name: Dropped
    when: { study.id: dropped }
    to: []
    stop: true
  - { name: Asleep, enabled: false, to: alerts }
  - { name: Everything, to: archive }
`;

/** Runs the tests of a config with these, off any terminal. */
async function run(t: Parameters<typeof makeFolder>[0], tests: string, ...argv: string[]) {
  const folder = await makeFolder(t, { 'config.yaml': `${BASE}tests:\n${tests}` });
  return { folder, ...(await runVerb(['test', ...argv], { cwd: folder })) };
}

const ENTERPRISE = 'event: { interview: { active_time: 300, metadata: { plan: enterprise, note: \'a "b"\' } } }';

test('tests that pass are named, and counted', async (t) => {
  const { code, out, err } = await run(
    t,
    `  - name: enterprise
    ${ENTERPRISE}
    to: [archive, off, alerts]
    renders:
      alerts: { contains: ['Seen "a "b"" by', Sample study], not_contains: [undefined, enterprise] }
      archive: { contains: ["5", interview_sample] }
  - { name: mock, event: { interview: { is_mock: true } }, to: unrouted }
  - { name: mock of another source, source: open, event: { interview: { is_mock: true } }, to: archive }
  - { name: dropped, event: { study: { id: dropped } }, to: [] }
`,
  );
  assert.equal(err, '');
  assert.equal(out, '✓ enterprise\n✓ mock\n✓ mock of another source\n✓ dropped\n\n4 passed\n');
  assert.equal(code, 0);
});

test('a test that fails shows what differs, and the routes and conditions that made it so', async (t) => {
  const { code, out } = await run(
    t,
    `  - { name: too short, event: { interview: { active_time: 45, metadata: { plan: enterprise } } }, to: [alerts, off, archive] }
  - { name: not to the archive, ${ENTERPRISE}, to: [alerts] }
  - { name: nowhere, event: {}, to: unrouted }
  - { name: mock, event: { interview: { is_mock: true } }, to: archive }
  - { name: dropped, event: { study: { id: dropped } }, to: archive }
  - { name: lonely, event: {}, to: [lonely, archive] }
  - { name: broken, event: { interview: { id: null } }, to: [] }
`,
  );
  assert.equal(
    out,
    `✗ too short  config.yaml:24
    − expected  + actual
      archive
    − alerts
        route "Enterprise" leads there, but does not take it:
          ✗ interview.active_time ≥ 120: it is 45
        route "Asleep" leads there, but is disabled
    − off
        route "Enterprise" leads there, but does not take it:
          ✗ interview.active_time ≥ 120: it is 45
✗ not to the archive  config.yaml:25
    − expected  + actual
      alerts
    + off
        route "Enterprise" takes it there:
          ✓ interview.metadata.plan is "enterprise"
          ✓ interview.active_time ≥ 120
    + archive
        route "Everything" takes every event there
✗ nowhere  config.yaml:26
    − expected  + actual
    − unrouted
    + archive
        route "Everything" takes every event there
✗ mock  config.yaml:27
    − expected  + actual
    − archive
        the source refuses the event, so that no route is asked:
          ✗ interview.is_mock is false: it is true
    + unrouted
✗ dropped  config.yaml:28
    − expected  + actual
    − archive
        route "Everything" leads there, but is not asked: "Dropped" above it stops here
    + unrouted
✗ lonely  config.yaml:29
    − expected  + actual
      archive
    − lonely
        no route leads there
✗ broken  config.yaml:30
    The event would be kept as quarantined, and asked of no route: interview.id: Invalid input: expected string, received null.

0 passed, 7 failed
`,
  );
  assert.equal(code, 1);
});

test('a text that is not sent, or must not be, is shown beside what is sent, without secrets', async (t) => {
  const { code, out } = await run(
    t,
    `  - name: words
    ${ENTERPRISE}
    renders:
      alerts: { contains: [Seen "a "c"" by, xoxb-hunter22], not_contains: Sample }
      lonely: { contains: x }
`,
  );
  assert.equal(
    out,
    `✗ words  config.yaml:24
    − expected  + actual
      alerts
      off
      archive
    − lonely
        no route leads there
    alerts  − expected text  + what it would be sent
    − Seen "a "c"" by
    + chat.postMessage
    + C0123456789
    + Seen "a "b"" by [secret] of Sample study: 5 Jan 2026, 09:12
    + versive_relay_delivery
    + alerts
    + interview_sample
      … and 2 other texts
    alerts must not be sent "Sample", and would be:
    + Seen "a "b"" by [secret] of Sample study: 5 Jan 2026, 09:12

0 passed, 1 failed
`,
  );
  assert.equal(code, 1);
});

test('--json prints one object a test', async (t) => {
  const { code, out } = await run(
    t,
    `  - { name: good, event: {}, to: archive, renders: { archive: { contains: interview_sample } } }
  - { name: bad, event: { interview: { active_time: 45 } }, to: [archive, lonely], renders: { archive: { contains: no such words } } }
`,
    '--json',
  );
  assert.equal(code, 1);
  const [good, bad, ...rest] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(rest, []);
  assert.deepEqual(good, {
    name: 'good',
    file: 'config.yaml',
    line: 24,
    passed: true,
    expected: ['archive'],
    actual: ['archive'],
    because: [],
    renders: [{ destination: 'archive', contains: 'interview_sample', passed: true }],
  });
  assert.deepEqual(bad.because, [{ destination: 'lonely', route: null, why: 'no_route', conditions: [] }]);
  assert.equal(bad.passed, false);
  assert.equal(bad.renders[0].passed, false);
  assert.ok(bad.renders[0].actual.includes('interview_sample'));
});

test('--junit writes XML that holds whatever a name or a text has in it', async (t) => {
  const tests = `  - { name: 'a <b> & "c" \\x', event: {}, to: archive }
  - { name: "bell \\a", event: {}, to: unrouted }
`;
  const { code, out, folder } = await run(t, tests, '--junit', 'out/results.xml');
  assert.equal(code, 1);
  assert.match(out, /1 passed, 1 failed/);
  const xml = (await readFile(path.join(folder, 'out/results.xml'), 'utf8')).replaceAll(/time="[\d.]+"/g, 'time=""');
  assert.equal(
    xml,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="versive-relay" tests="2" failures="1" errors="0" skipped="0" time="">
  <testsuite name="config.yaml" tests="2" failures="1" errors="0" skipped="0" time="">
    <testcase classname="config.yaml" name="a &lt;b&gt; &amp; &quot;c&quot; \\x" file="config.yaml" line="24" time=""/>
    <testcase classname="config.yaml" name="bell \ufffd" file="config.yaml" line="25" time="">
      <failure message="it goes to archive">    − expected  + actual
    − unrouted
    + archive
        route &quot;Everything&quot; takes every event there</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
  const piped = await run(t, tests, '--junit', '-');
  assert.match(piped.out, /^<\?xml[\s\S]*<\/testsuites>\n$/);
  assert.match(piped.err, /1 passed, 1 failed/);
  assert.equal((await run(t, tests, '--junit', '-', '--json')).code, 2);
});

test('parts of names choose tests; where nothing is found the answer is no', async (t) => {
  const tests = `  - { name: Enterprise one, event: {}, to: archive }
  - { name: another, event: {}, to: archive }
  - { name: third, event: {}, to: unrouted }
`;
  assert.equal((await run(t, tests, 'enterprise', 'other')).out, '✓ Enterprise one\n✓ another\n\n2 passed\n');
  const none = await run(t, tests, 'fourth');
  assert.equal(none.code, 1);
  assert.match(none.err, /no test has "fourth" in its name .*\n.*"Enterprise one", "another" and "third"/);
});

test('a config without tests is told how to write one, which it passes', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': BASE });
  const { code, out, err } = await runVerb(['test'], { cwd: folder });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /config\.yaml has no tests/);
  const [example = ''] = /^tests:\n( {2}.*\n)+/m.exec(err) ?? [];
  assert.equal((await readGood(t, BASE + example)).tests.length, 1);
  const again = await makeFolder(t, { 'config.yaml': BASE + example });
  assert.equal((await runVerb(['test'], { cwd: again })).code, 0);
});

test('errors of the config, also in files of tests, are told and end with 78', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE}tests: [tests/*.yaml, none.yaml]\n`,
    'tests/a.yaml': '- { name: a, event: {}, to: archiv }\n',
  });
  const { code, out, err } = await runVerb(['test'], { cwd: folder });
  assert.deepEqual([code, out], [78, '']);
  assert.match(err, /^tests\/a\.yaml:1:29 \[0\]\.to: no destination "archiv"\. Did you mean "archive"\?$/m);
  const checked = await runVerb(['check'], { cwd: folder });
  assert.match(checked.out, /^config\.yaml:23:23 warning .*\ntests\/a\.yaml:1:29 /m, 'file by file');
});

test('an event in a file is taken as it is', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE}tests: [{ name: a, source: open, event: e.json, to: archive, renders: { archive: { contains: i9, not_contains: sample } } }]\n`,
    'e.json': '{"event_type":"interview.completed","interview":{"id":"i9"},"study":{"id":"s"}}',
  });
  const { code, out } = await runVerb(['test'], { cwd: folder });
  assert.deepEqual([code, out], [0, '✓ a\n\n1 passed\n']);
});

test('of alternatives that failed, the reasons show that one was enough', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE.replace('study.id: dropped', 'any: [{ study.id: a }, { study.id: b, event_type: c }]').replace('to: []', 'to: lonely')}tests:
  - { name: any, event: {}, to: [archive, lonely] }
`,
  });
  const { out } = await runVerb(['test'], { cwd: folder });
  assert.match(
    out,
    / {10}✗ one of these must hold:\n {14}✗ study\.id is "a": it is "[^"]+"\n {14}✗ all of these must hold:\n {18}✗ study\.id is "b"/,
  );
});

test('what reads like a number must stand by itself', async (t) => {
  const { code, out } = await run(
    t,
    `  - name: found
    event: { interview: { id: "in 15 m of 2026 at 5%, 3.5 or 1,200", active_time: 300 } }
    renders:
      archive: { contains: ["15", "2026", "5%", "3.5", "1,200", "5", n 1], not_contains: ["20", "3", "200", "02", "+5"] }
  - name: not found
    event: { interview: { active_time: 900 } }
    renders: { archive: { contains: "5" } }
`,
  );
  assert.match(out, /✓ found\n✗ not found/);
  assert.equal(code, 1);
});

test('--junit tells that nothing was run: no report of an earlier run stays', async (t) => {
  const broken = await run(t, '  - { name: "a <b>", event: {}, to: archiv }\n', '--junit', 'results.xml');
  assert.equal(broken.code, 78);
  const xml = await readFile(path.join(broken.folder, 'results.xml'), 'utf8');
  assert.match(xml, /<testsuite name="config\.yaml" tests="1" failures="0" errors="1" /);
  assert.match(
    xml,
    /<error type="RELAY_CONFIG_REFERENCE" message="config\.yaml has an error; .*">config\.yaml:24:\d+ tests\[0\]\.to: no destination &quot;archiv&quot;\. .*<\/error>/,
  );
  const none = await run(t, '  - { name: a, event: {}, to: archive }\n', 'other', '--junit', '-');
  assert.equal(none.code, 1);
  assert.match(none.out, /<error type="RELAY_NOT_FOUND" message="no test has &quot;other&quot; in its name/);
});
