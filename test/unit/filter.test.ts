import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue, RoutedFields } from '../../src/model.ts';
import { compileFilter, type Filter, PlainScalar } from '../../src/route/filter.ts';
import { makePayload } from '../support/item.ts';

function fieldsOf(interview: JsonObject = {}, study: JsonObject = {}): RoutedFields {
  return { ...makePayload({ interview, study }), source: 'versive' };
}

function compiled(when: unknown): Filter {
  const { filter, problems } = compileFilter(when);
  assert.ok(filter, JSON.stringify(problems));
  return filter;
}

function holds(condition: unknown, value: JsonValue | undefined): boolean {
  const fields = fieldsOf({ metadata: value === undefined ? {} : { it: value } });
  return compiled({ 'interview.metadata.it': condition }).test(fields);
}

function problemsOf(when: unknown): string[] {
  return compileFilter(when).problems.map(
    ({ level, code, path, message, fix }) => `${level} ${code} ${path.join('/')}: ${message}${fix ? ` ${fix}` : ''}`,
  );
}

suite('a condition', () => {
  const CASES: [condition: unknown, holdsFor: (JsonValue | undefined)[], failsFor: (JsonValue | undefined)[]][] = [
    ['enterprise', ['enterprise'], ['Enterprise', 'enterprise ', null, undefined, ['enterprise'], { a: 1 }, true]],
    [5, [5, '5'], ['5.0', 50, [5]]],
    [true, [true, 'true'], [1, 'yes']],
    [new PlainScalar(123, '0123'), [123, '123', '0123'], ['00123']],
    [new PlainScalar(1.1, '1.10'), [1.1, '1.1', '1.10'], ['1.100']],
    [
      new PlainScalar(12345678901234567891n, '12345678901234567891'),
      ['12345678901234567891', 12345678901234567000],
      [1],
    ],
    [
      ['a', 2, null],
      ['a', '2', 2, null, undefined],
      ['b', ['a']],
    ],
    [null, [null, undefined], ['', 0, false, []]],
    [{ not: 'a' }, ['b', null, undefined, ['a']], ['a']],
    [{ not: ['a', 'b'] }, ['c', undefined], ['a', 'b']],
    [{ not: null }, ['', 0], [null, undefined]],
    [{ not: { contains: 'x' } }, ['abc', undefined], ['axc']],
    [{ in: ['a', 'b'] }, ['a'], ['c', undefined]],
    [{ exists: true }, ['', 0, false, []], [null, undefined]],
    [{ exists: false }, [null, undefined], ['']],
    [{ contains: 'pri' }, ['enterprise', ['pri', 3]], [['enterprise'], { pri: 1 }, null, undefined]],
    [{ contains: 3 }, ['a3', [3], ['3'], 132], [[33], []]],
    [{ starts_with: ['ent', 'pro'] }, ['enterprise', 'pro'], ['xpro', undefined]],
    [{ ends_with: '@acme.com' }, ['ana@acme.com'], ['ana@acme.com.evil.org']],
    [{ matches: '^ent.*e$' }, ['enterprise'], ['Enterprise', undefined, ['enterprise']]],
    [{ matches: 'terp' }, ['enterprise'], ['entrprise']],
    [{ gte: 120 }, [120, '120', 1e9, ' 121 '], [119.9, 'many', '', null, undefined, [200], '2026-01-01', true]],
    [{ gt: 1, lt: 3 }, [2], [1, 3]],
    [{ lte: '2.5' }, [2.5, '2'], [2.6]],
    [
      { gte: '2026-11-23T14:00:00Z' },
      ['2026-11-23T14:00:00.000Z', '2026-11-23T16:00:00+01:00', '2026-11-24'],
      ['2026-11-23T14:30:00+01:00', '2026-11-23', 1795442400000, 'soon'],
    ],
  ];

  for (const [condition, holdsFor, failsFor] of CASES) {
    test(
      JSON.stringify(condition, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
      () => {
        for (const value of holdsFor) assert.equal(holds(condition, value), true, `for ${JSON.stringify(value)}`);
        for (const value of failsFor) assert.equal(holds(condition, value), false, `for ${JSON.stringify(value)}`);
      },
    );
  }

  test('a scalar equals every scalar that prints alike, and nothing else', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    );
    const alike = scalar.chain((value) => fc.tuple(fc.constant(value), fc.oneof(scalar, fc.constant(String(value)))));
    fc.assert(
      fc.property(alike, ([wanted, value]) => {
        assert.equal(holds(wanted, value), String(wanted) === String(value));
      }),
    );
  });

  test('a regular expression takes linear time', () => {
    assert.equal(holds({ matches: '^(a+)+$' }, `${'a'.repeat(50_000)}b`), false);
  });
});

suite('a filter', () => {
  test('reads names with dots, lists and own properties only', () => {
    const metadata = JSON.parse('{"a.b": {"c[0]": [10, {"d": "x"}]}, "__proto__": "own"}') as JsonObject;
    const fields = fieldsOf({ metadata });
    const held = (path: string, condition: unknown) => compiled({ [path]: condition }).test(fields);
    assert.equal(held('interview.metadata["a.b"]["c[0]"][1].d', 'x'), true);
    assert.equal(held('interview.metadata[\'a.b\']["c[0]"][0]', 10), true);
    assert.equal(held('interview.metadata.__proto__', 'own'), true);
    assert.equal(held('interview.metadata.constructor', null), true);
    assert.equal(held('interview.metadata["a.b"].length', { exists: true }), false);
    assert.equal(held('interview.metadata["a.b"]["c[0]"][2]', { exists: true }), false);
    assert.equal(held('source', 'versive'), true);
    assert.equal(held('event_type', 'interview.completed'), true);
  });

  test('needs all of its entries, and groups nest', () => {
    const enterprise = { 'interview.metadata.plan': 'enterprise' };
    const long = { 'interview.active_time': { gte: 600 } };
    const of = (when: unknown) => compiled(when).test(fieldsOf({ active_time: 569 }));
    assert.equal(of({ ...enterprise, ...long }), false);
    assert.equal(of({ any: [enterprise, long] }), true);
    assert.equal(of({ any: { ...enterprise, ...long } }), true);
    assert.equal(of({ all: [enterprise, { not: long }] }), true);
    assert.equal(of({ not: { ...enterprise, ...long } }), true);
    assert.equal(of({ not: { any: [enterprise, long] } }), false);
    assert.equal(of({}), true);
  });

  test('explains itself with the values that it saw', () => {
    const fields = fieldsOf({ active_time: 45, metadata: { plan: 'pro' } });
    const explained = compiled({
      'interview.active_time': { gte: 120 },
      any: [{ 'interview.metadata.plan': 'enterprise' }, { 'interview.metadata.plan': 'pro' }],
      not: { 'study.id': ['study_123', 'study_9'] },
    }).explain(fields);
    assert.deepEqual(explained, [
      { path: 'interview.active_time', condition: '≥ 120', value: 45, held: false },
      { path: 'interview.metadata.plan', condition: 'is "pro"', value: 'pro', held: true },
      { path: 'study.id', condition: 'is not any of "study_123", "study_9"', value: 'study_123', held: false },
    ]);
  });

  test('tells the groups in which no alternative held', () => {
    const fields = fieldsOf({ active_time: 45, metadata: { plan: 'pro' } });
    const long = { 'interview.active_time': { gte: 120 } };
    const isLong = { path: 'interview.active_time', condition: '≥ 120', value: 45, held: false };
    const plan = (wanted: string) => ({ 'interview.metadata.plan': wanted });
    const seen = { path: 'interview.metadata.plan', value: 'pro' };
    assert.deepEqual(compiled({ any: [{ ...long, ...plan('pro') }, plan('team')] }).tree(fields), [
      {
        group: 'any',
        held: false,
        parts: [
          { group: 'all', held: false, parts: [isLong, { ...seen, condition: 'is "pro"', held: true }] },
          { ...seen, condition: 'is "team"', held: false },
        ],
      },
    ]);
    // `not` of several is met when one of them fails; an `any` that holds is told by the one that did.
    const short = { 'interview.active_time': { lt: 60 } };
    assert.deepEqual(compiled({ not: { ...short, ...plan('pro') } }).tree(fields), [
      {
        group: 'any',
        held: false,
        parts: [
          { ...isLong, condition: 'not: < 60' },
          { ...seen, condition: 'is not "pro"', held: false },
        ],
      },
    ]);
    const held = [{ ...seen, condition: 'is "pro"', held: true }];
    assert.deepEqual(compiled({ any: [long, plan('pro')] }).tree(fields), held);
  });

  test('tells every problem at once, each with its place and its fix', () => {
    assert.deepEqual(
      problemsOf({
        'interview.active_time': { gtee: 120 },
        'interview.metadata.plan': { equals: 'enterprise' },
        'interview.metadata.code': { matches: '(' },
        'interview..id': 'x',
        or: [{ 'study.id': 'x' }],
        not: { any: [{ 'interview.metadata.n': { lt: 'few' } }] },
        'study.id': [],
      }),
      [
        'error RELAY_CONFIG_FILTER interview.active_time/gtee: there is no operator "gtee". Did you mean "gte"?',
        'error RELAY_CONFIG_FILTER interview.metadata.plan/equals: there is no operator "equals". To compare for equality write the value itself.',
        'error RELAY_CONFIG_FILTER interview.metadata.code/matches: the regular expression cannot be read: error parsing regexp: missing closing ): `(`. The syntax is that of RE2: https://github.com/google/re2/wiki/Syntax.',
        'error RELAY_CONFIG_FILTER interview..id: "interview..id" is no path: character 10 is not expected. A name with dots in it is quoted in brackets: `interview.metadata["a.b"]`.',
        'error RELAY_CONFIG_FILTER or: there is no group "or". Did you mean "any"?',
        'error RELAY_CONFIG_FILTER not/any/0/interview.metadata.n/lt: lt takes a number or an ISO 8601 time, not "few". Write for example `gte: 120` or `gte: 2026-11-23T09:00:00Z`.',
        'error RELAY_CONFIG_FILTER study.id: an empty list matches nothing. Name at least one value.',
      ],
    );
  });

  test('tells how a nested map is written', () => {
    const trap = 'a filter names a field by one path, not by maps within maps.';
    const nested = { interview: { metadata: { plan: 'pro', 'a.b': { gte: 3 } } }, 'study.metadata': { team: 'x' } };
    assert.deepEqual(problemsOf(nested), [
      `error RELAY_CONFIG_TRAP interview: ${trap} Write \`interview.metadata.plan\`, \`interview.metadata["a.b"]\`.`,
      `error RELAY_CONFIG_TRAP study.metadata: ${trap} Write \`study.metadata.team\`.`,
    ]);
  });

  test('warns of a field that interviews do not have, and still compiles', () => {
    const when = { 'interview.titel': 'x', 'metadata.plan': 'pro', 'study.vid': 'x', plan: 'pro', 'event.type': 'x' };
    assert.ok(compileFilter(when).filter);
    assert.deepEqual(
      compileFilter(when).problems.map(({ level, code, fix }) => [level, code, fix]),
      ['interview.title', 'interview.metadata.plan', 'interview.vid', 'interview.metadata.plan', 'event_type'].map(
        (path) => ['warning', 'RELAY_CONFIG_PATH', `Did you mean "${path}"?`],
      ),
    );
    const known = [
      'interview.metadata.anything["at.all"][3]',
      'interview.parsed_conversation_json[0].role',
      'study.mode',
    ];
    assert.deepEqual(problemsOf(Object.fromEntries(known.map((path) => [path, 'x']))), []);
  });
});

const scalar = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
const operators = fc.oneof(
  fc.record({ not: fc.oneof(scalar, fc.constant(null), fc.array(scalar, { minLength: 1 })) }),
  fc.record({ in: fc.array(scalar, { minLength: 1 }) }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ contains: scalar, starts_with: scalar, ends_with: scalar }, { requiredKeys: ['contains'] }),
  fc.record({ matches: fc.constantFrom('^a+$', '[0-9]', '', '\\p{L}') }),
  fc.record({ gt: fc.integer(), lte: fc.constantFrom('7', '2026-11-23', 4) }),
);
const condition = fc.oneof(scalar, fc.constant(null), fc.array(scalar, { minLength: 1 }), operators);
const path = fc.constantFrom(
  'interview.id',
  'interview.metadata.a',
  'interview.metadata.a[0]',
  'interview.metadata.__proto__.a',
  'interview.metadata["a.b"].c',
  'interview.active_time',
  'study.metadata',
  'study.constructor.name',
);
const { when } = fc.letrec<{ when: Record<string, unknown> }>((tie) => ({
  when: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.dictionary(path, condition, { minKeys: 1, maxKeys: 3 }),
    fc.record({ any: fc.array(tie('when'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ all: fc.array(tie('when'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('when') }),
  ),
}));
const json = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as JsonValue);
const metadata = fc.oneof(json, fc.dictionary(fc.constantFrom('a', 'a.b', '__proto__'), json));

suite('no filter and no event', () => {
  test('makes a filter throw, and its explanation agrees with its judgement', () => {
    fc.assert(
      fc.property(when, json, json, metadata, metadata, (filter, id, time, ofInterview, ofStudy) => {
        const fields = {
          ...fieldsOf({ id, active_time: time, metadata: ofInterview }, { metadata: ofStudy }),
        };
        const { test, explain, tree } = compiled(filter);
        assert.equal(
          test(fields),
          explain(fields).every(({ held }) => held),
        );
        assert.equal(
          test(fields),
          tree(fields).every(({ held }) => held),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('makes the compiler throw, whatever stands in `when`', () => {
    const nearly = fc.oneof(json, fc.dictionary(fc.oneof(path, fc.string()), json), fc.constant(undefined));
    fc.assert(
      fc.property(nearly, (anything) => void compileFilter(anything)),
      { numRuns: 500 },
    );
  });
});
