/** What the thread that `openOnThread` starts does: the SQLite store, and the calls that come for it. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openSqlite } from './open-sqlite.ts';
import { type Answer, type Call, CHANGED, sent } from './thread.ts';

const port = parentPort as MessagePort;

try {
  const { file, options } = workerData;
  const store = await openSqlite(file, { ...options, writeBack: true });
  let answers: Answer[] = [];
  const answer = (each: Answer) => {
    answers.push(each);
    // All that one commit ended go together, before the next one begins.
    if (answers.length > 1) return;
    process.nextTick(() => {
      port.postMessage(answers);
      answers = [];
    });
  };
  const run = async ({ id, method, args }: Call) => {
    try {
      const result: unknown = await Reflect.apply(store[method], store, args);
      answer({ id, result });
    } catch (error) {
      answer({ id, error: sent(error) });
    }
    if (method === 'close') setImmediate(() => port.close());
  };
  port.on('message', (calls: Call[]) => {
    for (const call of calls) void run(call);
  });
  store.watch(() => port.postMessage(CHANGED));
  port.postMessage({ id: 0, result: undefined } satisfies Answer);
} catch (error) {
  port.postMessage({ id: 0, error: sent(error) } satisfies Answer);
}
