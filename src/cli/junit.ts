import type { RelayError } from '../errors.ts';
import { textOfLine } from './table.ts';
import type { Verdict } from './verdict.ts';
import { failureLines, failureSummary } from './verdict-lines.ts';

/** A verdict, and how long it took in milliseconds. */
export interface Timed {
  verdict: Verdict;
  took: number;
}

/** The verdicts as JUnit XML, which CI systems read: a suite for each file. */
export function junitXml(timed: Timed[]): string {
  const suites = [...Map.groupBy(timed, ({ verdict }) => verdict.test.file)];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="versive-relay" ${totals(timed)}>`,
    ...suites.flatMap(([file, own]) => [
      `  <testsuite name="${escaped(file)}" ${totals(own)}>`,
      ...own.flatMap(testcase),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * That no test was run, as JUnit XML: a report of an earlier run would say that all is well.
 *
 * @param lines what is wrong, a line each
 */
export function junitError(file: string, error: RelayError, lines: string[]): string {
  const name = escaped(file);
  const counts = 'tests="1" failures="0" errors="1" skipped="0" time="0.000"';
  const text = lines.length > 0 ? lines.join('\n') : (error.fix ?? '');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="versive-relay" ${counts}>`,
    `  <testsuite name="${name}" ${counts}>`,
    `    <testcase classname="${name}" name="the config" file="${name}" time="0.000">`,
    `      <error type="${error.code}" message="${escaped(error.message)}">${escaped(text)}</error>`,
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function totals(timed: Timed[]): string {
  const failures = timed.filter(({ verdict }) => !verdict.passed).length;
  return `tests="${timed.length}" failures="${failures}" errors="0" skipped="0" time="${seconds(timed)}"`;
}

function testcase(timed: Timed): string[] {
  const { test, passed } = timed.verdict;
  const head = `    <testcase classname="${escaped(test.file)}" name="${escaped(test.name)}" file="${escaped(test.file)}" line="${test.line}" time="${seconds([timed])}"`;
  if (passed) return [`${head}/>`];
  const text = failureLines(timed.verdict).map(textOfLine).join('\n');
  const message = escaped(failureSummary(timed.verdict));
  return [`${head}>`, `      <failure message="${message}">${escaped(text)}</failure>`, '    </testcase>'];
}

function seconds(timed: Timed[]): string {
  return (timed.reduce((sum, { took }) => sum + took, 0) / 1000).toFixed(3);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text for an attribute or an element. What no XML document may hold, not even escaped, becomes the sign for it. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
