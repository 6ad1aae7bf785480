/** Judges what a person tells `init`, one answer at a time, as `check` will judge it in the config. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Connectors } from '../config/destinations.ts';
import { judge, type OptionProblem } from '../config/issues.ts';
import { sourceSchema, timezoneSchema } from '../config/schema.ts';
import { reason } from '../config/substitute.ts';

/** True, or what is wrong with an answer. No message shows a secret. */
type Verdict = true | string;

/** The signing secret of the webhook endpoint. */
export function judgeSigningSecret(text: string): Verdict {
  return verdict(judge(sourceSchema, { secret: text }).problems);
}

export function judgeTimezone(text: string): Verdict {
  return verdict(judge(timezoneSchema, text).problems);
}

/** A token, as it goes into the `.env`. */
export function judgeToken(text: string): Verdict {
  return /^[\x21-\x7e]+$/.test(text) && !/['"`]/.test(text) ? true : 'expected a token, without spaces and quotes';
}

/** One option of a built-in connector, which is a text. */
export async function judgeOption(connector: string, option: string, text: string): Promise<Verdict> {
  const known = await (await Connectors.builtIn()).load(connector);
  if (known === undefined) throw new Error(`there is no built-in connector "${connector}"`);
  // The other options are other questions.
  return verdict(judge(known.options, { [option]: text }).problems.filter(({ path: [name] }) => name === option));
}

/**
 * The path of a service account's key file.
 * @param folder that of the config: relative paths belong to it
 */
export async function judgeKeyFile(name: string, folder: string): Promise<Verdict> {
  if (/[{}#:]/.test(name))
    return 'expected a path without the characters { } # and :, which mean something in the config';
  const file = path.resolve(folder, name);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return `${file} cannot be read: ${reason(error)}`;
  }
  if ((await judgeOption('google-sheets', 'credentials', text)) === true) return true;
  return `${file} is not the key of a service account; make one in the Google Cloud console (IAM & Admin → Service accounts → Keys → JSON)`;
}

function verdict(problems: OptionProblem[]): Verdict {
  return problems[0]?.message ?? true;
}
