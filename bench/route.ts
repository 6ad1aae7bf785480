/**
 * What a large routing table costs an event: microseconds to decide where it goes, through 10,000 routes beside 10, by what
 * the routes ask for. Each event is taken by one route of either table; the rounds take turns, and the medians count.
 *
 * The events are for 100 routes all over the table. With `--active 10000` each is for another one, and what is measured is
 * mostly how long memory that no cache has takes.
 *
 * Usage: npm run bench -- route [--rounds 15 --routes 10000 --active 100]
 */
import type { Payload } from '../src/model.ts';
import { decide } from '../src/route/decide.ts';
import { compileFilter } from '../src/route/filter.ts';
import { compileTable, type Table } from '../src/route/table.ts';
import { sampleInterview } from '../src/sandbox/samples.ts';
import { median, numbers } from './rounds.ts';

const { rounds, routes: many, active } = numbers({ rounds: 15, routes: 10_000, active: 100 });
const FEW = 10;
const EVENTS = 20_000;

/** What route number n asks for. */
const KINDS: Record<string, (n: number) => Record<string, unknown>> = {
  'study.id': (n) => ({ 'study.id': `study_${n}` }),
  'a metadata field': (n) => ({ 'interview.metadata.account': `account_${n}` }),
  'any of three studies': (n) => ({ 'study.id': [`study_${n}`, `other_${n}`, `third_${n}`] }),
  'plan and account': (n) => ({
    'interview.metadata.plan': 'enterprise',
    'interview.metadata.account': `account_${n}`,
  }),
  'study.id, and other conditions': (n) => ({
    'interview.is_mock': false,
    'interview.active_time': { gte: 1 },
    'study.id': `study_${n}`,
  }),
};

function tableOf(kind: (n: number) => Record<string, unknown>, size: number): Table {
  return compileTable(
    Array.from({ length: size }, (_, n) => {
      const { filter } = compileFilter(kind(n));
      if (!filter) throw new Error('the filter is wrong');
      return { name: `route ${n}`, when: filter, to: [`destination-${n % 5}`], stop: false, enabled: true };
    }),
  );
}

const SOURCE = { name: 'versive', when: undefined };

/** Parsed from JSON as events are, with studies and accounts all over the table. */
function eventsFor(size: number): { payload: Payload }[] {
  return Array.from({ length: active }, (_, index) => {
    const n = (index * 7919) % size;
    const { interview, study, event_type } = sampleInterview(index % 20);
    const metadata = { plan: 'enterprise', account: `account_${n}` };
    const mine = { ...interview, is_mock: false, active_time: 300, metadata };
    const payload = { event_type, interview: mine, study: { ...study, id: `study_${n}` } };
    return { payload: JSON.parse(JSON.stringify(payload)) as Payload };
  });
}

/** Microseconds an event. */
function measure(table: Table, events: { payload: Payload }[]): number {
  let taken = 0;
  const began = performance.now();
  for (let n = 0; n < EVENTS; n += 1) {
    taken += decide(events[n % events.length] as { payload: Payload }, SOURCE, table).routes.length;
  }
  const time = performance.now() - began;
  if (taken !== EVENTS) throw new Error(`${taken} of ${EVENTS} events were routed: the figure would mean nothing`);
  return (time * 1000) / EVENTS;
}

const rows = Object.entries(KINDS).map(([kind, when]) => {
  const tables = [FEW, many].map((size) => ({
    table: tableOf(when, size),
    events: eventsFor(size),
    each: [] as number[],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { table, events, each } of tables) {
      const figure = measure(table, events);
      // The first round warms up.
      if (round > 0) each.push(figure);
    }
  }
  const [few = 1, lots = 1] = tables.map(({ each }) => median(each));
  return {
    'routes that ask for': kind,
    [`${FEW} routes, µs`]: Number(few.toFixed(2)),
    [`${many} routes, µs`]: Number(lots.toFixed(2)),
    ratio: Number((lots / few).toFixed(2)),
  };
});
console.log(`routing one event, ${EVENTS} events a round for ${active} routes, ${rounds} rounds, medians`);
console.table(rows);
