import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** As a busy relay does: much that dies at once, and some that lives for a few turns. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { boundYoungObjects, collectGarbage } from ${JSON.stringify(import.meta.resolve('../../src/cli/heap.ts'))};
  boundYoungObjects();
  const room = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
  const living = [];
  async function work() {
    for (let turn = 0; turn < 400; turn += 1) {
      for (let made = 0; made < 10_000; made += 1) living[made] = { turn, made, text: ['a', made] };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await work();
  const busy = room();
  living.length = 0;
  collectGarbage();
  const idle = room();
  await work();
  console.log(JSON.stringify({ busy, idle, again: room() }));`;

test('the room for young objects grows to its bound, and again after a relay had little to do', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
  const { busy, idle, again } = JSON.parse(stdout);
  assert.ok(busy >= 32 && busy < 64, `${busy} MB`);
  assert.ok(idle < 16, `${idle} MB`);
  assert.ok(again >= 32 && again < 64, `${again} MB`);
});
