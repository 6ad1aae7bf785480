import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { RoutedFields } from '../../src/model.ts';
import { explainRoutes } from '../../src/route/explain.ts';
import { compileFilter } from '../../src/route/filter.ts';
import { compileTable, type Route } from '../../src/route/table.ts';
import { makePayload } from '../support/item.ts';

const fields: RoutedFields = { ...makePayload(), source: 'versive' };
const enterprise = compileFilter({ 'interview.metadata.plan': 'enterprise' }).filter;
const nobody = compileFilter({ 'study.id': 'study_9' }).filter;

function route(name: string, to: string[], more: Partial<Route> = {}): Route {
  return { name, when: undefined, to, stop: false, enabled: true, ...more };
}

suite('the routing table', () => {
  test('adds the destinations of every route that matches, each once, in order', () => {
    const table = compileTable([
      route('one', ['slack', 'notion'], { when: enterprise }),
      route('two', ['webhook'], { when: nobody }),
      route('three', ['sheet', 'slack']),
    ]);
    assert.deepEqual(table.route(fields), { routes: ['one', 'three'], destinations: ['slack', 'notion', 'sheet'] });
  });

  test('ends the walk after a route that matches and stops', () => {
    const table = compileTable([
      route('other', ['webhook'], { when: nobody, stop: true }),
      route('one', ['slack'], { when: enterprise, stop: true }),
      route('rest', ['sheet']),
    ]);
    assert.deepEqual(table.route(fields), { routes: ['one'], destinations: ['slack'] });
  });

  test('matches nothing with a disabled route, which stops nothing either', () => {
    const table = compileTable([route('one', ['slack'], { enabled: false, stop: true }), route('rest', ['sheet'])]);
    assert.deepEqual(table.route(fields), { routes: ['rest'], destinations: ['sheet'] });
  });

  test('gives an event that no route takes no destinations', () => {
    assert.deepEqual(compileTable([route('two', ['slack'], { when: nobody })]).route(fields), {
      routes: [],
      destinations: [],
    });
  });
});

suite('the explanation of the routes', () => {
  test('tells what each route made of the event', () => {
    const table = compileTable([
      route('off', ['slack'], { enabled: false }),
      route('nobody', ['slack'], { when: nobody }),
      route('enterprise', ['slack'], { when: enterprise, stop: true }),
      route('rest', ['sheet']),
    ]);
    assert.deepEqual(explainRoutes(table, fields), [
      { route: 'off', matched: false, because: [], skipped: 'disabled' },
      {
        route: 'nobody',
        matched: false,
        because: [{ path: 'study.id', condition: 'is "study_9"', value: 'study_123', held: false }],
      },
      {
        route: 'enterprise',
        matched: true,
        because: [{ path: 'interview.metadata.plan', condition: 'is "enterprise"', value: 'enterprise', held: true }],
      },
      { route: 'rest', matched: false, because: [], skipped: 'stopped', stoppedBy: 'enterprise' },
    ]);
  });

  test('agrees with the table, whatever the routes are', () => {
    const anyRoute = fc.record({
      when: fc.constantFrom(undefined, enterprise, nobody),
      to: fc.subarray(['slack', 'notion', 'sheet']),
      stop: fc.boolean(),
      enabled: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyRoute, { maxLength: 6 }), (routes) => {
        const table = compileTable(routes.map((more, index) => route(`r${index}`, more.to, more)));
        const matched = explainRoutes(table, fields).filter((explained) => explained.matched);
        assert.deepEqual(
          matched.map((explained) => explained.route),
          table.route(fields).routes,
        );
      }),
    );
  });
});
