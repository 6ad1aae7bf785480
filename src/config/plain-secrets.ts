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

/** Tells of each secret of a section that is written out where a `${NAME}` could stand. Shows none of them. */
export function findPlainSecrets(base: Located, { schema, prefix }: Judged, report: Report): void {
  const visit = (located: Located, path: OptionPath): void => {
    for (const [key, inner] of located.entries ?? []) visit(inner, [...path, key]);
    for (const [index, inner] of (located.items ?? []).entries()) visit(inner, [...path, index]);
    if (typeof located.scalar !== 'string' || located.scalar === '' || located.substituted) return;
    if (!isSecretAt(schema, path) || !isTelling(schema, path)) return;
    const name = `${prefix}_${path.filter((key) => typeof key === 'string').join('_')}`;
    const variable = name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
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
