// What the thread that WriteBack starts does. Plain JavaScript: it does without what strips types off, which has 11 MB.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(new URL(workerData.url));
// The mode, too: a connection knows of the WAL, and so can write it back, only once it has looked.
database.exec(`PRAGMA journal_mode = WAL; ${workerData.synced}`);
const pass = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort.on('message', (message) => {
  if (message === 'close') {
    database.close();
    parentPort.close();
    return;
  }
  pass.get();
  parentPort.postMessage('done');
});
