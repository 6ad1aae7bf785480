import { once } from 'node:events';
import { InvalidArgumentError, Option } from 'commander';

/** Resolves when the process is asked to end: Ctrl-C, SIGTERM. A second Ctrl-C ends it at once. */
export async function untilSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  process.once('SIGINT', () => process.exit(130));
}

/** `--port <number>`, of the verbs that show a page. */
export function portOption(): Option {
  return new Option('--port <number>', 'where the page listens on 127.0.0.1; a free port by default').argParser(
    (text) => wholeNumber(text, 0, 65_535),
  );
}

/** For commander: the number that a text is, or a usage error. */
export function wholeNumber(text: string, least: number, most: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
}
