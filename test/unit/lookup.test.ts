import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, RoutedFields } from '../../src/model.ts';
import { compileFilter, type Filter, PlainScalar } from '../../src/route/filter.ts';
import { RouteLookup } from '../../src/route/lookup.ts';
import { compileTable, type Route } from '../../src/route/table.ts';
import { makePayload } from '../support/item.ts';

/** The routes one after the other, as the documentation tells it. */
function walk(routes: Route[], fields: RoutedFields): { routes: string[]; destinations: string[] } {
  const taken: string[] = [];
  const destinations: string[] = [];
  for (const { name, when, to, stop, enabled } of routes) {
    if (!enabled || (when && !when.test(fields))) continue;
    taken.push(name);
    for (const each of to) if (!destinations.includes(each)) destinations.push(each);
    if (stop) break;
  }
  return { routes: taken, destinations };
}

function filterOf(when: unknown): Filter {
  const { filter, problems } = compileFilter(when);
  assert.ok(filter, JSON.stringify(problems));
  return filter;
}

/** Values that print alike, and some that only nearly do. */
const VALUES = [1, '1', 1.5, '1.50', true, 'true', '', 'a', 'b', '0123', 123, '123', 'null', '[object Object]'];
const PLAIN = [new PlainScalar(123, '0123'), new PlainScalar(1.5, '1.50'), new PlainScalar(true, 'True')];
const BIG = [9007199254740993n, '9007199254740993', '9007199254740992'];
const PATHS = [
  'study.id',
  'interview.id',
  'source',
  'interview.metadata.plan',
  'interview.metadata["plan"]',
  'interview.metadata["a.b"]',
  'interview.metadata.list[0]',
  'interview.metadata.__proto__',
];

const anyScalar = fc.constantFrom<unknown>(...VALUES, ...PLAIN, ...BIG);
const anyList = fc.array(fc.oneof({ weight: 8, arbitrary: anyScalar }, fc.constant(null)), {
  minLength: 1,
  maxLength: 4,
});
const anyCondition: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: anyScalar },
  { weight: 3, arbitrary: anyList },
  fc.constant(null),
  anyList.map((list) => ({ in: list })),
  anyScalar.map((not) => ({ not })),
  fc.tuple(anyList, anyScalar).map(([list, text]) => ({ in: list, contains: text })),
  fc.boolean().map((exists) => ({ exists })),
);
const anyEntries = fc.dictionary(fc.constantFrom(...PATHS), anyCondition, { minKeys: 1, maxKeys: 3 });
const anyWhen: fc.Arbitrary<JsonObject> = fc.letrec<{ when: JsonObject }>((tie) => ({
  when: fc.oneof(
    { depthSize: 'small' },
    anyEntries as fc.Arbitrary<JsonObject>,
    fc.record({ all: fc.array(tie('when'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('when'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('when') }),
    fc.tuple(anyEntries, tie('when')).map(([entries, any]) => ({ ...entries, any }) as JsonObject),
  ),
})).when;

const anyRoute = fc.record({
  when: fc.option(anyWhen.map(filterOf), { nil: undefined, freq: 8 }),
  to: fc.subarray(['slack', 'notion', 'sheet', 'webhook']),
  stop: fc.boolean(),
  enabled: fc.boolean(),
});
const anyTable = fc
  .array(anyRoute, { maxLength: 25 })
  .map((routes) => routes.map((route, index) => ({ name: `r${index}`, ...route })));

const anyValue = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES, 9007199254740992) },
  fc.constant(null),
  fc.constant({ a: 1 }),
  fc.array(fc.constantFrom(...VALUES), { maxLength: 2 }),
);
const anyEvent: fc.Arbitrary<RoutedFields> = fc
  .record({
    source: fc.constantFrom('a', 'b', 'versive'),
    study: anyValue,
    interview: anyValue,
    metadata: fc.oneof(
      { weight: 6, arbitrary: fc.dictionary(fc.constantFrom('plan', 'a.b', 'list', 'a', '__proto__'), anyValue) },
      anyValue,
    ),
  })
  .map(({ source, study, interview, metadata }) => ({
    event_type: 'interview.completed',
    source,
    study: { id: study },
    interview: { id: interview, metadata },
  }));

suite('the lookup of routes', () => {
  test('finds what a walk over all routes finds, in its order', () => {
    let matched = 0;
    fc.assert(
      fc.property(anyTable, fc.array(anyEvent, { minLength: 1, maxLength: 5 }), (routes, events) => {
        const table = compileTable(routes);
        assert.equal(table.routes, routes);
        for (const event of events) {
          const expected = walk(routes, event);
          matched += expected.routes.length;
          assert.deepEqual(table.route(event), expected);
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(matched > 1000, 'many routes matched');
  });

  const fieldsWith = (metadata: JsonObject) => {
    const payload = makePayload();
    return { ...payload, interview: { ...payload.interview, metadata }, source: 'versive' };
  };

  /** The names of the routes that an event is shown to. */
  function shown(whens: unknown[], metadata: JsonObject): string[] {
    const routes = whens.map((when, index) => ({ name: `r${index}`, when: filterOf(when) }));
    return [...new RouteLookup(routes).candidates(fieldsWith(metadata))].map(({ route }) => route.name);
  }

  const thousand = Array.from({ length: 1000 }, (_, n) => n);

  test('shows an event only to routes that ask for its study', () => {
    const whens = thousand.map((n) => ({ 'study.id': `study_${n}` }));
    assert.deepEqual(shown(whens, {}), ['r123']);
  });

  test('takes the most selective equality of each route, also in lists, operators and groups', () => {
    const plan = { 'interview.metadata.plan': 'enterprise' };
    const whens = thousand.flatMap((n): unknown[] => [
      { ...plan, 'interview.metadata.cohort': [n, `${n}b`] },
      { all: [plan, { 'interview.metadata.cohort': { in: [n] } }] },
      { any: [{ 'interview.metadata.cohort': n }, { 'interview.metadata.cohort': `${n}c`, ...plan }] },
    ]);
    assert.deepEqual(shown(whens, { plan: 'enterprise', cohort: '7' }), ['r21', 'r22', 'r23']);
    assert.deepEqual(shown(whens, { plan: 'enterprise', cohort: '7c' }), ['r23']);
    assert.deepEqual(shown(whens, { plan: 'enterprise' }), []);
  });

  test('does not read a field of its own for each route', () => {
    const whens = thousand.map((n) => ({ [`interview.metadata.flag_${n}`]: true, 'study.id': `study_${n >> 1}` }));
    const read: PropertyKey[] = [];
    const metadata = new Proxy({}, { getOwnPropertyDescriptor: (_, name) => void read.push(name) });
    assert.deepEqual(shown(whens, metadata), ['r246', 'r247']);
    assert.deepEqual(read, []);
  });

  test('shows an event to routes that ask for no certain value, in their places', () => {
    const study = { 'study.id': 'study_123' };
    const wide = [{}, { 'interview.metadata.plan': ['pro', null] }, { any: [study, { source: 'b' }] }, { not: study }];
    const whens = wide.flatMap((when, n) => [when, n % 2 ? study : { 'study.id': 'study_9' }]);
    assert.deepEqual(shown(whens, {}), ['r0', 'r2', 'r3', 'r4', 'r6', 'r7']);
  });

  test('knows what else a route asks for', () => {
    const tests = [
      { 'study.id': 'study_123' },
      { 'study.id': ['study_123', 'study_9'], 'interview.metadata.plan': 'pro' },
      { any: [{ 'study.id': 'study_123', 'interview.metadata.plan': 'pro' }, { 'study.id': 'study_9' }] },
    ].map((when) => filterOf(when).equalities.map(({ rest }) => rest?.(fieldsWith({ plan: 'free' }))));
    assert.deepEqual(tests, [[undefined], [false, true], [false]]);
  });
});
