/** Finds secrets that stand in the config itself. */
import type { z } from 'zod';
import type { Located } from './locate.ts';
import { isSecretAt, keysAt, type OptionPath } from './option-schema.ts';
import type { Report } from './report.ts';
import { isSecretName } from './secrets.ts';

interface Judged {
  schema: z.ZodType;
  /** What a variable's name could begin with. */
  prefix: string;
}

/** A variable as other programs write it. */
const LIKE_A_VARIABLE = /^(?:\$\(?|%|\{\{ *)[A-Z_][A-Z0-9_]*(?:\)|%| *\}\})?$/;

/** What .env.example calls variables that would otherwise be named by their place. */
const USUAL: Readonly<Record<string, string>> = {
  RELAY_METRICS_TOKEN: 'METRICS_TOKEN',
  RELAY_STORE_: 'RELAY_STORE',
  SLACK_TOKEN: 'SLACK_BOT_TOKEN',
  GOOGLE_SHEETS_CREDENTIALS: 'GOOGLE_CREDENTIALS',
  GOOGLE_SHEETS_ACCESS_TOKEN: 'GOOGLE_ACCESS_TOKEN',
};

/** Where in an address a secret stands, in words; undefined for what is no address, or has none. */
function secretInAddress(text: string): string | undefined {
  if (!/^(?:https?|postgres(?:ql)?):\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { hostname, pathname, password, searchParams } = new URL(text);
  if (password !== '') return 'before its @';
  if (hostname === 'hooks.slack.com' && pathname.startsWith('/services/')) return 'its path';
  const name = [...searchParams].find(([key, value]) => value !== '' && isSecretName(key))?.[0];
  return name === undefined ? undefined : `after ${name}=`;
}

/** Tells of each secret of a section that is written out where a `${NAME}` could stand. Shows none of them. */
export function findPlainSecrets(base: Located, { schema, prefix }: Judged, report: Report): void {
  const visit = (located: Located, path: OptionPath): void => {
    for (const [key, inner] of located.entries ?? []) visit(inner, [...path, key]);
    for (const [index, inner] of (located.items ?? []).entries()) visit(inner, [...path, index]);
    if (typeof located.scalar !== 'string' || located.scalar === '' || located.substituted) return;
    const isSecret = isSecretAt(schema, path) && isTelling(schema, path);
    const inside = isSecret ? undefined : secretInAddress(located.scalar);
    if (!isSecret && inside === undefined) return;
    const name = `${prefix}_${path.filter((key) => typeof key === 'string').join('_')}`;
    const made = name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    const variable = Object.hasOwn(USUAL, made) ? USUAL[made] : made;
    if (inside !== undefined) {
      report.at(located, {
        level: 'warning',
        code: 'RELAY_CONFIG_SECRET',
        message: `this address has a secret in plain text, ${inside}: everybody who sees the config sees it`,
        fix: `Put the whole address into the environment, or the .env beside the config, and write \${${variable}} here.`,
      });
      return;
    }
    const plain = {
      message: 'a secret stands here in plain text: everybody who sees the config sees it',
      fix: `Put it into the environment, or the .env beside the config, and write \${${variable}} here.`,
    };
    const slip = { message: 'this text is taken as the secret itself', fix: `A variable is written \${NAME}.` };
    report.at(located, {
      level: 'warning',
      code: 'RELAY_CONFIG_SECRET',
      ...(LIKE_A_VARIABLE.test(located.scalar) ? slip : plain),
    });
  };
  visit(base, []);
}

/** Where people choose the names themselves, as of headers, most values are declared secret only to be safe. */
export function isTelling(schema: z.ZodType, path: OptionPath): boolean {
  const at = path.findLastIndex((key) => typeof key === 'string');
  const key = String(path[at]);
  return keysAt(schema, path.slice(0, at)).includes(key) || isSecretName(key);
}
