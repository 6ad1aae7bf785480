import path from 'node:path';
import type { z } from 'zod';
import { isPostgres } from '../address.ts';
import type { Finding } from '../errors.ts';
import type { Config } from './config.ts';
import { judge } from './issues.ts';
import { type LocatedFile, plainValue, printPath } from './locate.ts';
import { isSection } from './merge.ts';
import { storeSchema, timezoneSchema } from './schema.ts';

export const DEFAULT_STORE = './data/relay.db';
export const DEFAULT_TIMEZONE = 'UTC';

/** What stored data is looked at with. */
export type Basics = Pick<Config, 'store' | 'timezone'>;

/**
 * The store and the timezone (UTC when it cannot be told) of a config that may have errors.
 * @param main the main file, which alone has them
 */
export function basicsOf(main: LocatedFile, folder: string, findings: Finding[]): Basics | undefined {
  const { root, syntax, problems, misread, unread } = main;
  const wrong = findings.filter(({ level, file }) => level === 'error' && file === main.name);
  const broken = new Set([
    ...wrong.map(({ path: at }) => at),
    ...[...problems, ...syntax].map(({ path: at }) => printPath(at)),
    ...misread.map(printPath),
  ]);
  // What a person meant to say may stand under a key that is mistyped, or in what is no YAML.
  const isComplete = syntax.length === 0 && [...(root?.entries?.keys() ?? [])].every(isSection);
  const read = (name: string, schema: z.ZodType<string>, otherwise: string) => {
    const located = root?.entries?.get(name);
    if (!located) return root && isComplete ? otherwise : undefined;
    return broken.has(name) || unread.has(name) ? undefined : judge(schema, plainValue(located)).value;
  };
  const store = read('store', storeSchema, DEFAULT_STORE);
  if (store === undefined) return undefined;
  const timezone = read('timezone', timezoneSchema, DEFAULT_TIMEZONE) ?? DEFAULT_TIMEZONE;
  return { store: locateStore(store, folder), timezone };
}

/** A file's absolute path, or the address of a database as it is. */
export function locateStore(store: string, folder: string): string {
  return isPostgres(store) ? store : path.resolve(folder, store);
}
