import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { configText, type RunningRelay, startRelay } from '../support/relay.ts';

let relay: RunningRelay;

const MAIN = configText(`include: teams/*.yaml
destinations:
  all: { connector: file, path: all.jsonl }
routes:
  - { name: all, to: all }
`);

const team = (name: string) => `destinations:
  ${name}: { connector: file, path: ${name}.jsonl }
routes:
  - { name: ${name}, to: ${name} }
`;

beforeEach(async () => {
  relay = await startRelay(MAIN, { watch: true });
  await mkdir(path.join(relay.folder, 'teams'));
});
afterEach(() => relay?.stop());

/** Resolves when a config with so many routes came into force. */
const routes = (count: number) => relay.log.step('config.reloaded', (line) => line.routes === count);

test('a team file is followed when it is added, changed and taken away', async () => {
  const file = path.join(relay.folder, 'teams/growth.yaml');
  await writeFile(file, team('growth'));
  await routes(2);
  await writeFile(file, `${team('growth')}  - { name: second, to: growth }\n`);
  await routes(3);
  await rm(file);
  await routes(1);
});

test('a bad team file leaves the running config in place, and names the file', async () => {
  const file = path.join(relay.folder, 'teams/growth.yaml');
  await writeFile(file, team('growth').replace('to: growth', 'to: growht'));
  const refused = await relay.log.step('config.refused');
  assert.match(String(refused.errors), /teams\/growth\.yaml:4:\d+ routes\[0\]\.to: no destination "growht"/);
  assert.equal(relay.log.count('config.reloaded'), 0);
  await writeFile(file, team('growth'));
  await routes(2);
});

test('a new file whose name is taken is refused until it is gone', async () => {
  await writeFile(path.join(relay.folder, 'teams/a.yaml'), team('growth'));
  await routes(2);
  const second = path.join(relay.folder, 'teams/b.yaml');
  await writeFile(second, team('growth'));
  const refused = await relay.log.step('config.refused');
  assert.match(String(refused.errors), /b\.yaml:2:3 destinations\.growth: "growth" is in \S+a\.yaml:2:3 already/);
  const before = relay.log.count('config.reloaded');
  await rm(second);
  await relay.log.step('config.reloaded', () => relay.log.count('config.reloaded') > before);
});
