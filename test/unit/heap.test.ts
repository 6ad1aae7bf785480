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
  // V8 may first collect the old objects, for which it has left little room.
  let again = idle;
  for (let round = 0; round < 20 && again < busy; round += 1) {
    await work();
    again = room();
  }
  console.log(JSON.stringify({ busy, idle, again }));`;

/** What V8 would take from the memory of the machine. */
const ROOM = ['--max-semi-space-size=64', '--max-old-space-size=2048'];

test('the room for young objects grows to its bound, and may again after a relay had little to do', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...ROOM, '--input-type=module', '--eval', PROGRAM]);
  const { busy, idle, again } = JSON.parse(stdout);
  assert.ok(busy >= 32 && busy < 64, `${busy} MB`);
  assert.ok(idle < busy, `${idle} MB`);
  assert.ok(again > idle && again < 64, `${again} MB`);
});
