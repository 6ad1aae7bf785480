/** Makes one tree of a config's files: each section of the main one, with what the included ones add to it. */
import { z } from 'zod';
import { nearest } from '../suggest.ts';
import { judge, kindOf, unknownKey } from './issues.ts';
import { type Located, plainValue } from './locate.ts';
import type { Report } from './report.ts';
import { DESTINATION_NAME, NAME, SECTIONS, SHARED_SECTIONS } from './schema.ts';

const EXPECT_NAMED = 'expected a map, each name with its options indented below it';
const anyList = z.array(z.unknown(), 'expected a list, each entry with a hyphen before it');

/** The sections that hold others; what they hold is judged one by one. */
const CONTAINERS: Record<string, z.ZodType> = {
  sources: z.record(NAME, z.unknown(), EXPECT_NAMED),
  defaults: z.record(z.string(), z.unknown()),
  destinations: z.record(DESTINATION_NAME, z.unknown(), EXPECT_NAMED),
  routes: anyList,
  tests: anyList,
};

const EMPTY = 'the config is empty.';
const EMPTY_FIX = 'Write one with versive-relay init; config.example.yaml shows every option.';

/** Of a config that has no value at all. */
export const EMPTY_CONFIG = { code: 'RELAY_CONFIG_INVALID', message: EMPTY, fix: EMPTY_FIX } as const;

/** Is it a section of the config? `x-…` is for what anchors point at. */
export function isSection(key: string): boolean {
  return SECTIONS.includes(key) || key.startsWith('x-');
}

/**
 * Judges which sections each file has, and their kind, and puts them together.
 * @returns undefined when the main file is no config
 */
export function mergeFiles(main: Located, included: Located[], mainName: string, report: Report): Located | undefined {
  if (!main.entries) {
    const isEmpty = !main.items && main.scalar === null;
    if (isEmpty) report.at(main, EMPTY_CONFIG);
    else
      report.at(main, { code: 'RELAY_CONFIG_INVALID', message: noSections(main, 'sources, destinations and routes') });
    return undefined;
  }
  const unknown = [...main.entries.keys()].filter((key) => !isSection(key));
  report.options(
    main,
    unknown.map((key) => unknownKey([key], SECTIONS)),
  );
  // What the misspelt ones hold is unknown, and not missing.
  report.unread(...unknown.flatMap((key) => nearest(key, SECTIONS) ?? []));
  const entries = new Map(main.entries);
  for (const [name, section] of entries) checkKind(name, section, report);
  for (const root of included) {
    for (const [name, section] of sharedSections(root, mainName, report)) {
      checkKind(name, section, report);
      entries.set(name, joined(entries.get(name), section, report));
    }
  }
  return { ...main, entries };
}

function noSections(root: Located, such: string): string {
  return `expected a map of sections such as ${such}, found ${kindOf(plainValue(root))}`;
}

function checkKind(name: string, section: Located, report: Report): void {
  const schema = Object.hasOwn(CONTAINERS, name) ? CONTAINERS[name] : undefined;
  if (schema) report.options(section, judge(schema, shallow(section)).problems);
}

/** What a section is, without what it holds. */
function shallow(located: Located): unknown {
  if (located.entries) return Object.fromEntries([...located.entries.keys()].map((key) => [key, null]));
  return located.items ? [] : located.scalar;
}

/** The sections of an included file that it may have. */
function sharedSections(root: Located, mainName: string, report: Report): [string, Located][] {
  if (!root.entries) {
    const message = noSections(root, 'destinations and routes');
    report.at(root, { code: 'RELAY_CONFIG_INVALID', message });
    return [];
  }
  const known: [string, Located][] = [];
  for (const [name, section] of root.entries) {
    if (SHARED_SECTIONS.includes(name)) known.push([name, section]);
    else if (!name.startsWith('x-')) report.options(root, [notShared(name, mainName)]);
  }
  return known;
}

function notShared(name: string, mainName: string): ReturnType<typeof unknownKey> {
  if (!SECTIONS.includes(name)) return unknownKey([name], SHARED_SECTIONS);
  return {
    code: 'RELAY_CONFIG_UNKNOWN_KEY',
    path: [name],
    message: name === 'include' ? 'an included file cannot include others' : `"${name}" belongs to the main config`,
    fix: `Move it to ${mainName}; an included file has ${SHARED_SECTIONS.join(', ')}.`,
  };
}

/** One section of what two files have there: the lists one after the other, the maps by name. */
function joined(before: Located | undefined, section: Located, report: Report): Located {
  if (!before?.entries && !before?.items) return section;
  if (before.items) return { ...before, items: [...before.items, ...(section.items ?? [])] };
  const entries = new Map(before.entries);
  for (const [name, located] of section.entries ?? []) {
    const first = entries.get(name);
    if (!first) entries.set(name, located);
    else {
      const message = `${JSON.stringify(name)} is in ${report.where(first, located)} already`;
      const fix = section.path[0] === 'defaults' ? 'Keep one of them.' : 'Rename one of them, or remove it.';
      report.at(located, { code: 'RELAY_CONFIG_INVALID', message, fix });
    }
  }
  return { ...before, entries };
}
