import path from 'node:path';
import { RelayError } from '../errors.ts';
import { locateStore } from './basics.ts';
import { judge } from './issues.ts';
import { readDotEnv } from './load.ts';
import { storeSchema } from './schema.ts';
import { Variables } from './substitute.ts';

/**
 * The store that an option of the command line names, as `store:` of the config would: with `${NAME}` and `${file:PATH}`, so
 * that a password need not stand there. A path is relative to the working folder; one that was substituted, to the config.
 *
 * @param option `--to`
 * @param config the config file, which need not be there: its `.env` is read
 * @throws RelayError RELAY_USAGE
 */
export async function storeArgument(option: string, text: string, config: string): Promise<string> {
  const folder = path.dirname(path.resolve(config));
  const variables = new Variables(folder, process.env, await readDotEnv(path.join(folder, '.env')));
  const substituted = variables.substitute(text, true);
  const [problem] = substituted?.problems ?? [];
  if (problem) throw refusal(option, problem);
  // What was substituted is not shown, whatever it is.
  const quote = () => substituted && { source: text, whole: substituted.whole };
  const { value, problems } = judge(storeSchema, substituted?.text ?? text, quote);
  if (value === undefined) throw refusal(option, problems[0] ?? { message: 'this is no store' });
  return locateStore(value, substituted ? folder : process.cwd());
}

function refusal(option: string, { message, fix }: { message: string; fix?: string }): RelayError {
  return new RelayError('RELAY_USAGE', `${option}: ${message}`, fix === undefined ? {} : { fix });
}
