import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextDelay, probeDelay } from '../../src/backoff.ts';
import { parseDuration } from '../../src/config/durations.ts';
import { DEFAULT_RETRY } from '../../src/config/schema.ts';
import type { Destination } from '../../src/connector.ts';
import { Breaker } from '../../src/deliver/breaker.ts';
import { Notifier, noticeOf } from '../../src/deliver/notifier.ts';
import { RateLimit } from '../../src/deliver/rate-limit.ts';
import { settle, unbegun } from '../../src/deliver/settle.ts';
import {
  delivered,
  halt,
  type Outcome,
  reject,
  retry,
  retryAfterMs,
  transportOutcome,
  unknown,
} from '../../src/outcome.ts';
import type { Claim } from '../../src/store/store.ts';

const RETRY_SCHEDULE = DEFAULT_RETRY.map((text) => parseDuration(text) ?? 0);
/** Of an end that leaves no doubt. */
const settleWith = (outcome: Outcome, given: Parameters<typeof settle>[1]) =>
  settle({ outcome, doubt: undefined }, given);
const context = { attempts: 1, schedule: RETRY_SCHEDULE, now: 1_000_000, probing: false };

test('the schedule is jittered by 20 % and ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempts, random) => {
      const planned = RETRY_SCHEDULE[attempts - 1];
      const delay = nextDelay(RETRY_SCHEDULE, attempts, random);
      if (planned === undefined) return delay === undefined;
      return delay !== undefined && delay >= planned * 0.8 - 1 && delay <= planned * 1.2 + 1;
    }),
  );
});

test('a reject fails at once, and keeps the words and the fix', () => {
  assert.deepEqual(settleWith(reject('invalid', 'invalid_blocks', 'Correct blocks.'), context), {
    state: 'failed',
    reason: 'invalid',
    detail: 'invalid_blocks',
    fix: 'Correct blocks.',
  });
});

test('a failed attempt comes back later, and the last one fails the delivery', () => {
  const later = settleWith(unknown('timeout', 'no answer'), context);
  assert.ok(later.state === 'pending' && later.counted);
  assert.ok(later.nextAttemptAt >= context.now + 4_000 && later.nextAttemptAt <= context.now + 6_000);
  const last = settleWith(retry('server', '500'), { ...context, attempts: RETRY_SCHEDULE.length + 1 });
  assert.equal(last.state, 'failed');
});

test('what was claimed and not begun is due as it was, and says what it said', () => {
  const claimed = { attempts: 2, nextAttemptAt: 900, reason: 'server', detail: 'HTTP 500' };
  const given = unbegun({ delivery: claimed, doubt: { since: 700, newer: false } } as Claim);
  const same = { state: 'pending', nextAttemptAt: 900, reason: 'server', detail: 'HTTP 500' };
  assert.deepEqual(given, { ...same, counted: false, unsent: true, doubt: 700 });
  const fresh = unbegun({ delivery: { ...claimed, reason: undefined, detail: undefined } } as unknown as Claim);
  assert.ok(fresh.state === 'pending' && fresh.detail.includes('before the call'));
});

test('a service that says when to come back is obeyed, and costs no attempt', () => {
  const settled = settleWith(retry('rate_limited', '429', 90_000), { ...context, attempts: 99 });
  assert.deepEqual(settled, {
    state: 'pending',
    nextAttemptAt: context.now + 90_000,
    reason: 'rate_limited',
    detail: '429',
    counted: false,
  });
});

test('neither a halt nor a probe behind an open breaker costs an attempt', () => {
  const halted = settleWith(halt('auth', 'invalid_auth', 'Renew the token.'), { ...context, attempts: 99 });
  assert.ok(halted.state === 'pending' && !halted.counted && halted.fix === 'Renew the token.');
  const probed = settleWith(retry('network', 'refused'), { ...context, attempts: 99, probing: true });
  assert.ok(probed.state === 'pending' && !probed.counted);
});

test('the breaker opens after five failures in a row, probes after 5 s and then twice as long, and closes on success', () => {
  const breaker = new Breaker();
  const fail = (now: number) => breaker.observe([unknown('timeout', '')], now);
  for (let failure = 1; failure <= 4; failure += 1) assert.equal(fail(0), undefined);
  assert.equal(breaker.open, false);
  assert.equal(fail(0), 'opened');
  assert.equal(breaker.until, 5_000);
  fail(4_000);
  assert.equal(breaker.until, 5_000, 'calls that were under way change nothing');
  fail(5_000);
  assert.equal(breaker.until, 5_000 + 5_000);
  fail(10_000);
  assert.equal(breaker.until, 10_000 + 10_000);
  assert.equal(breaker.observe([retry('rate_limited', '')], 20_000), undefined);
  assert.equal(breaker.open, true);
  assert.equal(breaker.observe([delivered({})], 20_000), 'closed');
  assert.equal(breaker.until, 0);
  assert.equal(probeDelay(50), 5 * 60_000);
});

test('four failures, a success, four failures: the breaker stays closed', () => {
  const breaker = new Breaker();
  for (const outcome of [
    ...Array(4).fill(retry('server', '')),
    reject('invalid', '', ''),
    ...Array(4).fill(retry('server', '')),
  ]) {
    assert.equal(breaker.observe([outcome], 0), undefined);
  }
});

test('calls that are refused together are one refusal, and only those without a time grow the pause', () => {
  const limit = new RateLimit();
  const unnamed = [retry('rate_limited', '')];
  assert.deepEqual(
    [limit.pauseOf(unnamed, 0), limit.pauseOf(unnamed, 10), limit.pauseOf(unnamed, 20)],
    [5_000, 4_990, 4_980],
  );
  assert.equal(limit.pauseOf([retry('rate_limited', '', 2_000)], 30), 2_000);
  assert.equal(limit.pauseOf(unnamed, 5_000), 10_000);
  assert.equal(limit.pauseOf([delivered({})], 20_000), undefined);
  assert.equal(limit.pauseOf(unnamed, 20_000), 5_000);
});

test('a service that refuses every call for its rate is news once, after a quarter of an hour', () => {
  const limit = new RateLimit();
  const told: number[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    limit.pauseOf([retry('rate_limited', '429', 30_000)], minute * 60_000);
    if (limit.isLasting(minute * 60_000)) told.push(minute);
  }
  assert.deepEqual(told, [15]);
  limit.pauseOf([delivered({})], 61 * 60_000);
  limit.pauseOf([retry('rate_limited', '429', 30_000)], 62 * 60_000);
  assert.equal(limit.isLasting(63 * 60_000), false, 'it took something in between');
});

test('news that a service refused for now is told with the next, and dropped when it never will be', async () => {
  const told: string[][] = [];
  const outcomes = [
    retry('rate_limited', '429', 60_000),
    delivered({}),
    reject('invalid', 'no', 'Mend it.'),
    delivered({}),
  ];
  const notifier = new Notifier({
    names: () => ['ops'],
    destination: () =>
      ({
        notify: async ({ lines }: { lines: string[] }) => {
          told.push(lines);
          return outcomes.shift();
        },
      }) as unknown as Destination,
    log: { debug() {}, info() {}, warn() {} },
  });
  for (const detail of ['one', 'two', 'three', 'four']) {
    notifier.report({ kind: 'down', destination: 'tracker', detail });
    await notifier.flush();
  }
  await notifier.close();
  assert.deepEqual(
    told.map((lines) => lines.length),
    [1, 2, 1, 1],
  );
});

test('a service that stays down is news once, after a quarter of an hour', () => {
  const breaker = new Breaker();
  const told: unknown[] = [];
  for (let now = 0; now < 3_600_000; now += 60_000) told.push(breaker.observe([retry('network', '')], now));
  assert.deepEqual(told.filter(Boolean), ['opened', 'lasting']);
});

test('a batch that fails is one failure, and one of it that arrives is a success', () => {
  const breaker = new Breaker();
  breaker.observe(Array(200).fill(unknown('timeout', '')), 0);
  assert.equal(breaker.open, false);
  for (let call = 0; call < 10; call += 1) breaker.observe([unknown('timeout', ''), delivered({})], 0);
  assert.equal(breaker.open, false);
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfterMs('30'), 30_000);
  assert.equal(retryAfterMs('0.5'), 500);
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', now), 60_000);
  assert.equal(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  const date = 'Thu, 01 Jan 2026 00:00:30 GMT';
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', date), 30_000, "by the service's own clock");
  for (const nothing of [null, undefined, '', ' ', 'soon']) assert.equal(retryAfterMs(nothing), undefined);
});

test('only a request that cannot have been sent is surely undelivered', () => {
  const failed = (cause: object) => Object.assign(new TypeError('fetch failed'), { cause });
  assert.equal(transportOutcome(failed({ code: 'ECONNREFUSED' }))?.kind, 'retry');
  assert.equal(transportOutcome({ original: failed({ code: 'ENOTFOUND' }) })?.kind, 'retry');
  assert.equal(transportOutcome(failed({ code: 'ECONNRESET' }))?.kind, 'unknown');
  assert.equal(transportOutcome(failed({}))?.kind, 'unknown');
  assert.equal(transportOutcome(new DOMException('too long', 'TimeoutError'))?.kind, 'unknown');
  assert.equal(transportOutcome(new TypeError('x is not a function')), undefined);
  assert.equal(transportOutcome('text'), undefined);
});

test('news is grouped into one message, with a line each and the rest counted', () => {
  const failed = (n: number) => ({
    kind: 'failed' as const,
    destination: 'tracker',
    delivery: `d${n}`,
    subject: 's',
    detail: 'no such column',
    fix: 'Add it.',
  });
  const notice = noticeOf([
    ...Array.from({ length: 12 }, (_, n) => failed(n)),
    { kind: 'halted', destination: 'alerts', detail: 'invalid_auth', fix: 'Renew.' },
  ]);
  assert.equal(notice.title, 'versive-relay: 12 failed deliveries, 1 halted destination');
  assert.equal(notice.lines.length, 11);
  assert.match(notice.lines.at(-1) ?? '', /^… and 3 more/);
});
