import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChaos } from '../chaos/chaos.ts';
import { printReport, problemsOf } from '../chaos/report.ts';

/** A short one; `npm run chaos` is the long one. */
const CYCLES = 8;
const EVENTS = 120;

test(`${CYCLES} kills with -9, every fault, a full disk, a clock that jumps: nothing is lost, nothing doubled`, async (t) => {
  const report = await runChaos({ cycles: CYCLES, events: EVENTS });
  t.diagnostic(printReport(report));
  assert.deepEqual(problemsOf(report), []);
  assert.ok(report.events >= EVENTS);
});
