import { once } from 'node:events';

/** Resolves when the process is asked to end: Ctrl-C, SIGTERM. A second Ctrl-C ends it at once. */
export async function untilSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  process.once('SIGINT', () => process.exit(130));
}
