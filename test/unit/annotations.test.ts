import assert from 'node:assert/strict';
import path from 'node:path';
import { Writable } from 'node:stream';
import { it } from 'node:test';
import { printAnnotations } from '../../src/cli/annotations.ts';
import type { Finding } from '../../src/errors.ts';

const FINDING: Finding = {
  level: 'warning',
  code: 'RELAY_CONFIG_TEMPLATE',
  file: 'etc/config.yaml',
  line: 3,
  column: 7,
  path: 'destinations.slack.message',
  message: '100% of it fails:\r\nat once, here',
  fix: 'Correct it.',
};

function printed(finding: Finding, workspace?: string): string {
  const before = process.env.GITHUB_WORKSPACE;
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  try {
    if (workspace === undefined) delete process.env.GITHUB_WORKSPACE;
    else process.env.GITHUB_WORKSPACE = workspace;
    printAnnotations([finding], stream);
  } finally {
    if (before === undefined) delete process.env.GITHUB_WORKSPACE;
    else process.env.GITHUB_WORKSPACE = before;
  }
  return text;
}

it('an annotation is one line, whatever its message holds', () => {
  const start = '::warning file=etc/config.yaml,line=3,col=7,title=RELAY_CONFIG_TEMPLATE';
  const words = 'destinations.slack.message: 100%25 of it fails:%0D%0Aat once, here Correct it.';
  assert.equal(printed(FINDING), `${start}::${words}\n`);
  const odd = printed({ ...FINDING, level: 'error', file: 'C:\\a,b%.yaml', path: '', message: 'x.' });
  assert.match(odd, /^::error file=C%3A\\a%2Cb%25\.yaml,.*::x\. Correct it\.\n$/);
});

it('an annotation names its file from the root of the repository', () => {
  assert.match(
    printed(FINDING, path.dirname(process.cwd())),
    new RegExp(`file=${path.basename(process.cwd())}/etc/config`),
  );
  assert.match(printed(FINDING, path.resolve('somewhere/else')), /file=etc\/config\.yaml/);
});
