import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { JsonValue, RoutedFields } from '../../src/model.ts';
import { type Clause, clausesOf, type Group } from '../../src/route/clauses.ts';
import { findContradictions } from '../../src/route/contradiction.ts';
import { compileFilter } from '../../src/route/filter.ts';
import { findShadows } from '../../src/route/shadow.ts';

/** No source is known, and none refuses anything. */
const ANY = { sources: undefined, gate: [] };

function read(when: unknown): Group {
  const clauses = clausesOf(when);
  assert.ok(clauses, JSON.stringify(when));
  return clauses;
}

function contradicts(when: unknown, gate: readonly Clause[] = []): boolean {
  return findContradictions(read(when), { ...ANY, gate }).some(({ whole }) => whole);
}

/** Indexes of shadowed routes, each with that of the route above. */
function shadows(...whens: unknown[]): [number, number][] {
  return [...findShadows(whens.map((when) => ({ when: read(when), stop: true, enabled: true, gate: [] })))];
}

const value = fc.constantFrom<JsonValue>('a', 'b', '1', 1, 2, 5, true, '2026-01-01T00:00:00Z', '2026-06-01');
const condition = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    value,
    fc.constant(null),
    fc.array(fc.oneof(value, fc.constant(null)), { minLength: 1, maxLength: 3 }),
    fc.boolean().map((exists) => ({ exists })),
    fc
      .tuple(fc.constantFrom('gt', 'gte', 'lt', 'lte'), fc.constantFrom(1, 2, 5, '1', '2026-01-01', '2026-06-01'))
      .map(([name, bound]) => ({ [name]: bound })),
    fc
      .tuple(fc.constantFrom('gt', 'gte'), fc.constantFrom('lt', 'lte'), fc.integer({ max: 5 }), fc.integer({ max: 5 }))
      .map(([lower, upper, low, high]) => ({ [lower]: low, [upper]: high })),
    fc
      .tuple(fc.constantFrom('contains', 'starts_with', 'ends_with', 'matches'), fc.constantFrom('a', 'b', '1', '20'))
      .map(([name, text]) => ({ [name]: text })),
    tie('condition').map((inner) => ({ not: inner })),
  ),
})).condition;
const entry = fc.tuple(fc.constantFrom('interview.metadata.x', 'interview.metadata.y', 'interview.title'), condition);
const filter = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
    fc
      .tuple(fc.constantFrom('all', 'any'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }), entry)
      .map(([group, members, [path, inner]]) => ({ [group]: members, [path]: inner })),
    tie('filter').map((not) => ({ not })),
  ),
})).filter;
const field = fc.oneof(value, fc.constantFrom<JsonValue | undefined>(null, undefined, ['a', 1], { a: 1 }));
const event = fc.record({ x: field, y: field, title: field }).map(({ x, y, title }): RoutedFields => {
  const metadata = Object.fromEntries(Object.entries({ x, y }).filter(([, each]) => each !== undefined)) as object;
  const interview = { id: 'i', metadata: metadata as JsonValue, ...(title !== undefined && { title }) };
  return { source: 's', event_type: 'interview.completed', interview, study: { id: 's' } };
});

function compiled(when: unknown) {
  const { filter: made, problems } = compileFilter(when);
  assert.ok(made, JSON.stringify(problems));
  return made;
}

describe('contradictions', () => {
  it('are found only in filters that no event meets', () => {
    let found = 0;
    fc.assert(
      fc.property(filter, fc.array(event, { minLength: 30, maxLength: 30 }), (when, events) => {
        if (!contradicts(when)) return;
        found += 1;
        const made = compiled(when);
        for (const each of events) assert.equal(made.test(each), false, JSON.stringify([when, each]));
      }),
      { numRuns: 3_000 },
    );
    assert.ok(found > 100, `only ${found} of the filters contradicted themselves`);
  });

  it('are found among what another filter lets through', () => {
    const gate = read({ 'interview.is_mock': false }).members;
    assert.equal(contradicts({ 'interview.is_mock': true }, gate), true);
    assert.equal(contradicts({ 'interview.is_mock': { not: [false, null] } }, gate), true);
    assert.equal(contradicts({ 'interview.is_mock': [true, false] }, gate), false);
  });

  const none: [string, unknown][] = [
    ['a number and the text of it', { all: [{ 'study.id': 120 }, { 'study.id': '120' }] }],
    ['bounds that meet', { 'interview.active_time': { gte: 100, lte: 100 } }],
    ['the bounds of numbers below a not', { 'interview.metadata.x': { gte: 1, not: { lt: '2026-01-01' } } }],
    ['a missing value, and not some value', { 'interview.metadata.x': null, not: { 'interview.metadata.x': 'a' } }],
    ['a text of which two parts are asked', { 'study.title': { starts_with: 'a', contains: 'b' } }],
  ];
  for (const [name, when] of none) it(`are not seen in ${name}`, () => assert.equal(contradicts(when), false));
});

describe('shadows', () => {
  it('lie only on routes whose events are all taken above', () => {
    let found = 0;
    fc.assert(
      fc.property(filter, filter, fc.array(event, { minLength: 30, maxLength: 30 }), (above, below, events) => {
        const joined = { all: [above, below] };
        for (const pair of [[above, below] as const, [above, joined] as const]) {
          if (shadows(...pair).length === 0) continue;
          found += 1;
          const [first, second] = pair.map(compiled);
          for (const each of events) {
            assert.ok(!second?.test(each) || first?.test(each), JSON.stringify([pair, each]));
          }
        }
      }),
      { numRuns: 3_000 },
    );
    assert.ok(found > 500, `only ${found} routes were shadowed`);
  });

  const bounds: [above: object, below: object, shadowed: boolean][] = [
    [{ gt: 10 }, { gt: 10 }, true],
    [{ gte: 10 }, { gt: 10 }, true],
    [{ gt: 10 }, { gte: 10 }, false],
    [{ lt: 10 }, { lte: 10 }, false],
    [{ lte: 10 }, { lt: 10 }, true],
    [{ lte: 10 }, { lt: 9 }, true],
    [{ lt: 9 }, { lt: 10 }, false],
    [{ gte: 10 }, { lt: 20 }, false],
    [{ gte: '2026-01-01' }, { gte: '2026-06-01' }, true],
    [{ gte: 10 }, { gte: '2026-06-01' }, false],
    [{ exists: true }, { gte: 10 }, true],
  ];
  for (const [above, below, shadowed] of bounds) {
    it(`${shadowed ? 'lie' : 'do not lie'} on ${JSON.stringify(below)} below ${JSON.stringify(above)}`, () => {
      const found = shadows({ 'interview.metadata.x': above }, { 'interview.metadata.x': below });
      assert.equal(found.length === 1, shadowed);
    });
  }

  it('lie on a subset, by the rarest of the conditions', () => {
    const routes = Array.from({ length: 500 }, (_, n) => ({ 'interview.is_mock': false, 'study.id': `study_${n}` }));
    const below = { 'interview.is_mock': false, 'study.id': 'study_499', 'interview.vid': 'a' };
    assert.deepEqual(shadows(...routes, below), [[500, 499]]);
  });

  it('lie on nothing below a route that is switched off, or goes on', () => {
    const below = { when: read({}), stop: false, enabled: true, gate: [] };
    assert.equal(findShadows([{ ...below, stop: true, enabled: false }, below]).size, 0);
    assert.equal(findShadows([below, below]).size, 0);
    assert.equal(
      findShadows([
        { ...below, stop: true },
        { ...below, enabled: false },
      ]).size,
      0,
    );
    assert.equal(findShadows([{ ...below, when: undefined, stop: true }, below]).size, 0);
  });

  it('are found among ten thousand routes in a moment, whatever they ask for', () => {
    const shapes: ((n: number) => unknown)[] = [
      (n) => ({ 'study.id': `study_${n}`, 'interview.is_mock': false }),
      (n) => ({ 'interview.metadata.seats': { lt: n } }),
      (n) => ({ any: [{ 'study.id': n }, { 'interview.vid': n }] }),
      (n) => ({ 'study.title': { contains: `title ${n}` } }),
      () => ({}),
    ];
    for (const shape of shapes) {
      const routes = Array.from({ length: 10_000 }, (_, n) => shape(n));
      const start = process.cpuUsage();
      shadows(...routes);
      const { user } = process.cpuUsage(start);
      // A walk over all pairs takes minutes.
      assert.ok(user < 20_000_000, `${JSON.stringify(shape(1))}: ${user} µs`);
    }
  });
});
