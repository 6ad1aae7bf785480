import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { program } from '../../src/cli/program.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('no message tells people to retry or replay a delivery while there is no verb for it', async () => {
  const { commands } = await program([], '0.0.0');
  const verbs = commands.map((command) => command.name());
  const advice = { retry: /then retry\b|retry the (delivery|event)/i, replay: /replay (the|it)\b/i };
  const missing = Object.entries(advice).filter(([verb]) => !verbs.includes(verb));
  const found: string[] = [];
  for (const folder of ['connectors', 'src/render', 'src/config']) {
    for (const name of await readdir(path.join(ROOT, folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const source = await readFile(path.join(ROOT, folder, name), 'utf8');
      for (const [verb, words] of missing) if (words.test(source)) found.push(`${folder}/${name}: ${verb}`);
    }
  }
  assert.deepEqual(found, []);
});
