import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Document, visit } from 'yaml';
import { compose } from '../../src/config/compose.ts';
import { LongComposer } from '../../src/config/compose-long.ts';

/** All that the config's reader looks at: what stands where, how it is written, and its anchors. */
function outline(document: Document.Parsed | undefined): unknown[] {
  const seen: unknown[] = [];
  if (!document) return seen;
  visit(document, {
    Node(key, node) {
      const { anchor, source, type, value } = node as {
        anchor?: string;
        source?: string;
        type?: string;
        value?: unknown;
      };
      const kind = node.constructor.name;
      // A list that was put together says of its end only what nobody asks for.
      seen.push([
        typeof key === 'number' ? key : String(key),
        kind,
        node.range?.[0],
        anchor,
        source,
        kind === 'Scalar' && type,
        value,
      ]);
    },
  });
  return seen;
}

function assertSame(text: string): void {
  const whole = compose(text);
  const long = new LongComposer().compose(text);
  assert.deepEqual(long.issues, whole.issues);
  if (whole.issues.length === 0) assert.deepEqual(outline(long.document), outline(whole.document));
}

/** Makes a text long enough to be read in pieces. */
const PADDING = `# ${'padding '.repeat(7_000)}\n`;

test('a long list is read as it is in one piece', () => {
  const plain = Array.from(
    { length: 3_000 },
    (_, index) => `  - { name: r${index}, when: { study.id: s${index} }, to: [a, b] }\n`,
  );
  for (const text of [
    `routes:\n${plain.join('')}`,
    `x-a: &a { to: b }\nroutes:   # all of them\n\n  # the first\n${plain.join('')}  - { <<: *a }\non_failure: [a]\ntests:\n  - name: x\n`,
    `a: 1\nroutes:\n${plain.join('').replaceAll(/^ {2}/gm, '')}b: 2\n`,
    `routes:\n${plain.join('')}`.trimEnd(),
    `routes:\r\n${plain.join('').replaceAll('\n', '\r\n')}`,
  ]) {
    assertSame(text);
  }
});

test('whatever stands in a long list, or around it, it is read as in one piece', () => {
  const line = fc.constantFrom(
    '  - name: a\n    to: b\n',
    '  - { name: a, to: b }\n',
    '  - |\n    text\n    - text\n',
    '  - >\n   folded\n\n',
    '  - "two\n    lines"\n',
    '  - "two\n  - lines"\n',
    "  - 'open\n",
    "  - shut'\n",
    '  - [open,\n',
    '    shut]\n',
    '  - plain\n    text\n',
    '  -\n    name: a\n',
    '  - - nested\n    - list\n',
    '  - &a { b: 1 }\n',
    '  - *a\n',
    '  - key: &b\n',
    '  - ? a\n    : b\n',
    '  - !tag x\n',
    '  - "\\q"\n',
    '# comment\n',
    '    # comment\n',
    '\n',
    '\t\n',
    '   - further\n',
    ' - less\n',
    '- least\n',
    'key: value\n',
    'key:\n',
    'routes:\n',
    'x: |\n',
    'x: "\n',
    '"\n',
    '{ a: 1 }\n',
    '- \n',
    '---\n',
    '%YAML 1.2\n',
  );
  // As long as a piece, so that pieces end and begin everywhere.
  const good = `  - { name: "${'x'.repeat(2_000)}", to: b }\n`;
  const lines = (maxLength: number) =>
    fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(good) }, line), { maxLength });
  fc.assert(
    fc.property(lines(2), lines(6), lines(2), (above, inside, below) => {
      assertSame(`${above.join('')}${PADDING}routes:\n${good}${inside.join('')}${good}${below.join('')}`);
    }),
    { numRuns: 1_000 },
  );
});
