/** What a person reads of a test of the config, and why it failed. */
import { clip } from '../text.ts';
import { treeLines } from './conditions.ts';
import type { Line } from './table.ts';
import { type Because, hasText, type Rendered, type Verdict } from './verdict.ts';
import { count } from './words.ts';

/** Lines that are shown of what a destination would be sent, and UTF-16 units of each. */
const SHOWN = { lines: 6, line: 100 } as const;

/** `✓ name`; of a failed test `✗ name  config.yaml:42`. */
export function headLine({ test, passed }: Verdict): Line {
  if (passed) return [{ text: '✓', style: 'green' }, { text: ` ${test.name}` }];
  return [
    { text: '✗', style: 'red' },
    { text: ` ${test.name}`, style: 'bold' },
    { text: `  ${test.file}:${test.line}`, style: 'dim' },
  ];
}

/** Why a test failed, as a diff with reasons. Empty for one that passed. */
export function failureLines(verdict: Verdict): Line[] {
  if (verdict.quarantined !== undefined) {
    const text = `    The event would be kept as quarantined, and asked of no route: ${verdict.quarantined}.`;
    return [[{ text, style: 'red' }]];
  }
  const groups = Map.groupBy(
    verdict.rendered.filter(({ passed }) => !passed),
    ({ destination, wanted }) => `${destination} ${wanted}`,
  );
  return [...diffLines(verdict), ...[...groups.values()].flatMap(renderLines)];
}

/** Why a test failed, in one line. */
export function failureSummary({ quarantined, missing, surplus, rendered }: Verdict): string {
  if (quarantined !== undefined) return `the event would be quarantined: ${quarantined}`;
  const sent = rendered
    .filter(({ passed }) => !passed)
    .map(
      ({ destination, text, wanted }) => `${destination} would ${wanted ? 'not ' : ''}be sent ${JSON.stringify(text)}`,
    );
  return [
    ...(missing.length > 0 ? [`it does not go to ${missing.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`it goes to ${surplus.join(', ')}`] : []),
    ...sent,
  ].join('; ');
}

function diffLines({ test, actual, missing, surplus, because }: Verdict): Line[] {
  if (missing.length === 0 && surplus.length === 0) return [];
  const both = actual.filter((name) => !surplus.includes(name));
  const none = { expected: test.to?.length === 0, actual: actual.length === 0 };
  return [
    [{ text: '    − expected  + actual', style: 'dim' }],
    ...both.map((name): Line => [{ text: `      ${name}`, style: 'dim' }]),
    ...(none.expected ? [removed('unrouted')] : []),
    ...changes(missing, because, removed),
    ...(none.actual ? [added('unrouted')] : []),
    ...changes(surplus, because, added),
  ];
}

/** Destinations, those with the same reasons together. */
function changes(names: string[], because: Because[], change: (name: string) => Line): Line[] {
  const groups = Map.groupBy(names, (name) => {
    const own = because.filter(({ destination }) => destination === name);
    return JSON.stringify(own.map(({ route, why }) => [route, why]));
  });
  return [...groups.values()].flatMap((group) => {
    const own = because.filter(({ destination }) => destination === group[0]);
    return [...group.map(change), ...own.flatMap(reasonLines)];
  });
}

function removed(text: string): Line {
  return [{ text: `    − ${text}`, style: 'red' }];
}

function added(text: string): Line {
  return [{ text: `    + ${text}`, style: 'green' }];
}

function reasonLines(because: Because): Line[] {
  return [[`        ${reason(because)}`], ...treeLines(because.tree, '          ')];
}

function reason({ route, why, tree, stoppedBy }: Because): string {
  switch (why) {
    case 'taken':
      return tree.length === 0 ? `route "${route}" takes every event there` : `route "${route}" takes it there:`;
    case 'condition':
      return `route "${route}" leads there, but does not take it:`;
    case 'disabled':
      return `route "${route}" leads there, but is disabled`;
    case 'stopped':
      return `route "${route}" leads there, but is not asked: "${stoppedBy}" above it stops here`;
    case 'refused':
      return 'the source refuses the event, so that no route is asked:';
    case 'no_route':
      return 'no route leads there';
  }
}

/** @param failed what was not found (or was) in what one destination would be sent */
function renderLines(failed: Rendered[]): Line[] {
  const [first] = failed;
  if (first === undefined) return [];
  const { destination, wanted, actual, problem } = first;
  if (actual === undefined) return [[{ text: `    ${destination} would be sent nothing: ${problem}`, style: 'red' }]];
  if (!wanted) {
    return failed.flatMap((each) => [
      [{ text: `    ${destination} must not be sent ${JSON.stringify(clip(each.text, SHOWN.line))}, and would be:` }],
      ...shownOf([each]).map(added),
    ]);
  }
  const shown = shownOf(failed);
  const left = actual.length - shown.length;
  return [
    [{ text: `    ${destination}` }, { text: '  − expected text  + what it would be sent', style: 'dim' }],
    ...failed.map(({ text }) => removed(clip(text, SHOWN.line))),
    ...shown.map(added),
    ...(left > 0 ? [dim(`      … and ${count(left, 'other text')}`)] : []),
  ];
}

function dim(text: string): Line {
  return [{ text, style: 'dim' }];
}

/** Of what one destination would be sent, the texts that tell most of why these were not found there, or were. */
export function shownOf(failed: Rendered[]): string[] {
  const [first] = failed;
  if (first === undefined) return [];
  const { actual = [], wanted, text } = first;
  if (!wanted) return [around(actual.find((each) => hasText(each, text)) ?? text, text)];
  return nearest(actual, failed.map((each) => each.text).join(' ')).map((line) => clip(line, SHOWN.line));
}

/** The text with some of the line before and after it. */
function around(line: string, text: string): string {
  const start = Math.max(0, line.indexOf(text) - SHOWN.line / 3);
  return clip(start > 0 ? `…${line.slice(start)}` : line, Math.max(SHOWN.line, text.length + SHOWN.line / 2));
}

/** The texts that have most words in common with what was looked for, then those that people wrote; in their order. */
function nearest(texts: string[], wanted: string): string[] {
  const words = new Set(wordsOf(wanted));
  const ranked = texts
    .map((text, index) => ({ text, index }))
    // JSON as a text is told by what is in it.
    .filter(({ text }) => text.trim() !== '' && !/^\s*[[{]/.test(text))
    .map(({ text, index }) => {
      const common = wordsOf(text).filter((word) => words.has(word)).length;
      return { text, index, rank: Math.min(common, words.size) * 2 + (/\s/.test(text.trim()) ? 1 : 0) };
    });
  return ranked
    .toSorted((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, SHOWN.lines)
    .toSorted((a, b) => a.index - b.index)
    .map(({ text }) => text);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
