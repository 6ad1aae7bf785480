import { InvalidArgumentError, Option } from 'commander';

/** `--config <file>`, of every verb that reads the config. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'the config file').default('config.yaml');
}

/** `--json`, of every verb that lists. */
export function jsonOption(): Option {
  return new Option('--json', 'print one JSON object a line');
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
