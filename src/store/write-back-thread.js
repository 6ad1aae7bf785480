// What the thread that WriteBack starts does. Plain JavaScript, as thread-start.js is and for its reason.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData);
// The log must be on disk before the database changes, and the database before the log is begun anew: as openWriter has it.
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
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
