/** Runs one test of the config: decides on its event as acceptance does, and tells why where that is not what is expected. */
import type { Config, RoutingTest, SourceConfig } from '../config/config.ts';
import { scrubber } from '../config/secrets.ts';
import type { JsonValue, Payload } from '../model.ts';
import { parsePayload } from '../payload.ts';
import { renderItem } from '../render/item.ts';
import { decide, routedFields } from '../route/decide.ts';
import { explainRoutes } from '../route/explain.ts';
import type { Condition, Told } from '../route/filter.ts';
import { fillEvent } from '../sample.ts';
import { readBody } from './chosen-event.ts';
import { type Previewed, previewAt } from './previewed.ts';

/** When the event of a test is received: always the same, so that a message which tells it stays the same. */
const RECEIVED = Date.UTC(2026, 0, 5, 9, 12);

/** Why an event goes to a destination that is not expected, or does not go to one that is. */
export interface Because {
  destination: string;
  /** The route that led there, or would have; undefined where no route decided it. */
  route: string | undefined;
  /**
   * `taken`: it goes there. The others, it does not: a condition did not hold, the route is `disabled`, it was not asked
   * since one above `stopped`, the source `refused` the event, or `no_route` names the destination.
   */
  why: 'taken' | 'condition' | 'disabled' | 'stopped' | 'refused' | 'no_route';
  /** Those that held, of a route that took it; else those that did not. */
  conditions: Condition[];
  /** The same, with the groups in which alternatives failed. */
  tree: Told[];
  /** The route that stopped the walk. */
  stoppedBy?: string;
}

/** A text that was looked for in what a destination would be sent. */
export interface Rendered {
  destination: string;
  /** Must it be there, or must it not? */
  wanted: boolean;
  text: string;
  passed: boolean;
  /** All texts of what would be sent. Undefined when nothing would be. */
  actual: string[] | undefined;
  /** Why nothing would be sent. */
  problem?: string;
}

/** How a test ended. */
export interface Verdict {
  test: RoutingTest;
  passed: boolean;
  /** Where the event goes. */
  actual: string[];
  /** Why it would be asked of no route at all. */
  quarantined: string | undefined;
  missing: string[];
  surplus: string[];
  because: Because[];
  rendered: Rendered[];
}

/** @throws RelayError when the file that the event stands in is gone */
export async function runTest(config: Config, test: RoutingTest): Promise<Verdict> {
  const source = config.sources.get(test.source) ?? { name: test.source, secrets: [], when: undefined };
  const given = test.event;
  const body = 'file' in given ? await readBody(given.file) : Buffer.from(JSON.stringify(fillEvent(given.fields)));
  const judged = parsePayload(body.toString());
  const { destinations: actual, refused } = decide(judged, source, config.table);
  const unread = { test, actual, missing: [], surplus: [], because: [], rendered: [] };
  if (judged.payload === undefined) return { ...unread, passed: false, quarantined: judged.reason };
  const { to, renders } = test;
  const missing = [...new Set([...(to ?? []), ...renders.keys()])].filter((name) => !actual.includes(name));
  const surplus = to === undefined ? [] : actual.filter((name) => !to.includes(name));
  const rendered: Rendered[] = [];
  for (const destination of renders.keys()) {
    if (actual.includes(destination))
      rendered.push(...(await render({ config, test, body, destination }, judged.payload)));
  }
  const wrong = [...missing, ...surplus];
  return {
    test,
    passed: wrong.length === 0 && rendered.every(({ passed }) => passed),
    actual,
    quarantined: undefined,
    missing,
    surplus,
    because: wrong.length === 0 ? [] : reasons(config, { payload: judged.payload, source, refused }, wrong),
    rendered,
  };
}

/** For each destination, the routes that decided. Destinations that the event goes to are told by what took it there. */
function reasons(
  { table }: Config,
  { payload, source, refused }: { payload: Payload; source: SourceConfig; refused: boolean },
  destinations: string[],
): Because[] {
  const fields = routedFields(payload, source.name);
  if (refused) {
    const conditions = (source.when?.explain(fields) ?? []).filter(isAmiss);
    const tree = (source.when?.tree(fields) ?? []).filter(isAmiss);
    return destinations.map((destination) => ({ destination, route: undefined, why: 'refused', conditions, tree }));
  }
  const explained = explainRoutes(table, fields).map((each, index) => ({
    ...each,
    tree: each.skipped ? [] : (table.routes[index]?.when?.tree(fields) ?? []),
  }));
  return destinations.flatMap((destination): Because[] => {
    const leading = explained.filter((_, index) => table.routes[index]?.to.includes(destination));
    if (leading.length === 0) return [{ destination, route: undefined, why: 'no_route', conditions: [], tree: [] }];
    const taking = leading.filter(({ matched }) => matched);
    if (taking.length > 0) {
      return taking.map(({ route, because, tree }) => ({
        destination,
        route,
        why: 'taken',
        conditions: because,
        tree,
      }));
    }
    return leading.map(({ route, because, tree, skipped, stoppedBy }) => ({
      destination,
      route,
      why: skipped ?? 'condition',
      conditions: because.filter(isAmiss),
      tree: tree.filter(isAmiss),
      ...(stoppedBy !== undefined && { stoppedBy }),
    }));
  });
}

function isAmiss({ held }: Told): boolean {
  return !held;
}

interface Rendering {
  config: Config;
  test: RoutingTest;
  body: Buffer;
  destination: string;
}

/** Looks for each text of the test in what a destination would be sent. */
async function render({ config, test, body, destination }: Rendering, payload: Payload): Promise<Rendered[]> {
  const { contains = [], notContains = [] } = test.renders.get(destination) ?? {};
  const wanted = [
    ...contains.map((text) => ({ destination, text, wanted: true })),
    ...notContains.map((text) => ({ destination, text, wanted: false })),
  ];
  const event = {
    id: 'e0',
    eventType: payload.event_type,
    source: test.source,
    svixId: 'msg_test',
    receivedAt: RECEIVED,
  };
  const identity = { destination, subject: payload.interview.id, generation: 1 };
  const item = renderItem({ event, body, identity, receipt: undefined, earlier: [] }, config.timezone);
  const scrub = scrubber(config.secrets);
  const nothing = (problem: string) =>
    wanted.map((each) => ({ ...each, passed: false, actual: undefined, problem: scrub(problem) }));
  const named = config.destinations.get(destination);
  if (named === undefined) return nothing(`there is no destination ${destination}`);
  let shown: Previewed;
  try {
    shown = await previewAt(config, named, item);
  } catch (error) {
    return nothing(`its connector cannot show it: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (shown.error !== undefined) return nothing(shown.error);
  const texts = textsIn(shown.preview ?? null);
  const whole = texts.join('\n');
  const actual = texts.map(scrub);
  return wanted.map((each) => ({ ...each, passed: hasText(whole, each.text) === each.wanted, actual }));
}

/** Is the text there? What reads like a number must stand by itself: a 5 is not found in 15, nor in 5.2 or 2025. */
export function hasText(whole: string, text: string): boolean {
  if (!/^[-+]?\d+(?:[.,]\d+)*%?$/.test(text)) return whole.includes(text);
  const literal = text.replace(/[.+]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_]|\\d[.,:-])${literal}(?![\\p{L}\\p{N}_]|[.,:-]\\d)`, 'u').test(whole);
}

/** Every text and number in a value, in its order; of a text that is itself JSON also those in it. */
function textsIn(value: JsonValue): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  if (typeof value !== 'string') return typeof value === 'number' ? [String(value)] : [];
  if (!/^\s*[[{]/.test(value)) return [value];
  try {
    return [value, ...textsIn(JSON.parse(value))];
  } catch {
    return [value];
  }
}
