import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';

/** UTF-16 units of a config, just below what the relay reads. */
const LARGE = 790_000;
const GOOD = `sources: { versive: { secret: ${SIGNING_SECRET} } }
destinations: { archive: { connector: file, path: x } }
`;

/** Parts one after the other, as many as a config may have. */
function fill(part: (index: number) => string, size = LARGE): string {
  const parts: string[] = [];
  for (let length = 0; length < size - 300; length += parts.at(-1)?.length ?? 0) parts.push(part(parts.length));
  return parts.join('');
}

const routes = (route: (index: number) => string) => `${GOOD}routes:\n${fill((index) => `  - ${route(index)}\n`)}`;

const bomb = 'bcdefghi'.split('').reduce((text, name, index) => {
  return `${text}x-${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`)}]\n`;
}, 'x-a: &a [1,1,1,1,1,1,1,1,1,1]\n');

const CONFIGS: Record<string, string> = {
  'an alias bomb': `${bomb}${GOOD}`,
  'an anchor in itself': 'x-a: &a { <<: *a }',
  'open brackets': fill(() => '['),
  'open braces': fill(() => '{'),
  'closed brackets': `a: ${fill(() => '[', LARGE / 2)}${fill(() => ']', LARGE / 2)}`,
  dashes: fill(() => '- '),
  'question marks': fill(() => '? '),
  indentation: Array.from({ length: 1_200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'open substitutions': `a: ${fill(() => '${A:-')}`,
  '50,000 lines': fill((line) => `key${line}: value\n`),
  '100,000 times the same key': fill(() => 'x: 1\n'),
  'traps in each line': fill(() => 'a: {{ x\n'),
  'tags in each line': fill(() => 'a: !x y\n'),
  'documents without end': fill(() => '---\na: 1\n'),
  directives: fill(() => '%a b\n'),
  'one long line without quotes': `${GOOD}server: ${fill(() => 'y ')}`,
  'one long line of brackets': `${GOOD}routes: [${fill((index) => `{name: r${index}, to: archiv},`)}]`,
  'routes with unknown names and options': routes((index) => `{ name: r${index}, to: archiv, stp: 1 }`),
  'routes with filters that are none': routes(
    (index) => `{ name: r${index}, to: archive, when: { study.id: { gtee: 1 } } }`,
  ),
  'routes without their variables': routes((index) => `{ name: "\${NONE${index}}", to: archive }`),
  'an open bracket at the end': `${routes((index) => `{ name: r${index}, to: archive }`)}  - { name: x, to: [archive }\n`,
  'an open quote at the end': `${routes((index) => `{ name: "r${index}", to: archive }`)}  - { name: "x, to: archive }\n`,
  'destinations of wrong templates': `${GOOD.replace(/destinations.*/, 'destinations:')}${fill(
    (index) => `  d${index}: { connector: file, path: x, line: "{{ x | nope }}" }\n`,
  )}`,
  'names that are nearly right': `${GOOD.replace(/destinations.*/, 'destinations:')}${fill(
    (index) => `  research-destination-${index}: { connector: file, path: x }\n`,
    LARGE / 3,
  )}routes:\n${fill((index) => `  - { name: r${index}, to: research-destinatoin-x${index} }\n`, LARGE / 2)}`,
};

async function assertRefused(t: TestContext, text: string, included: boolean): Promise<void> {
  const folder = await makeFolder(t, { 'config.yaml': `include: teams/*.yaml\n${GOOD}`, 'teams/a.yaml': 'x-a: 1\n' });
  await writeFile(path.join(folder, included ? 'teams/a.yaml' : 'config.yaml'), text);
  const { config, findings } = await loadConfig(path.join(folder, 'config.yaml'), {});
  assert.equal(config, undefined);
  assert.ok(findings.length > 0 && findings.length <= 501, `${findings.length} findings`);
  for (const { message, file, line, column } of findings) {
    assert.ok(message.length <= 400 && line > 0 && column > 0);
    assert.ok(file.startsWith(folder));
  }
}

for (const [name, text] of Object.entries(CONFIGS)) {
  test(`${name}: refused in a few words`, async (t) => {
    await assertRefused(t, text, false);
  });
}

test('an included file is no more dangerous', async (t) => {
  for (const name of [
    'an alias bomb',
    'traps in each line',
    '100,000 times the same key',
    'an open quote at the end',
  ]) {
    await assertRefused(t, CONFIGS[name] ?? '', true);
  }
});
