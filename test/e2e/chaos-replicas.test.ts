import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runReplicaChaos } from '../chaos/replicas.ts';
import { printReport, problemsOf } from '../chaos/report.ts';
import { isTested } from '../support/stores.ts';

/** A short one; `npm run chaos -- --replicas 3` is the long one. */
const CYCLES = 8;
const EVENTS = 100;

test('three relays on one PostgreSQL, killed, stopped and cut off: nothing is lost, nothing doubled', {
  skip: !isTested('postgres'),
}, async (t) => {
  const report = await runReplicaChaos({ cycles: CYCLES, events: EVENTS, replicas: 3 });
  t.diagnostic(printReport(report));
  assert.deepEqual(problemsOf(report), []);
  assert.ok(report.events >= EVENTS);
});
