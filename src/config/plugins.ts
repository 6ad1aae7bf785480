import { readdir } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { z } from 'zod';
import type { Connector } from '../connector.ts';
import { RelayError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { Secret, Uncompiled } from '../options.ts';
import { compileStructure, compileTemplate, TemplateError } from '../render/template.ts';
import { judge, type OptionProblem, type Quote } from './issues.ts';
import { type OptionPath, schemasAt } from './option-schema.ts';

/** The folder of the connectors that come with the relay. */
export const BUILT_IN = fileURLToPath(new URL('../../connectors/', import.meta.url));

/** The files of a folder that are connectors, by the connector's name: that of the file. None is imported. */
export async function findConnectors(folder: string = BUILT_IN): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const name = /^([a-z0-9-]+)\.(?:ts|js|mjs)$/.exec(entry.name)?.[1];
    if (name !== undefined && !entry.isDirectory()) found.set(name, path.join(folder, entry.name));
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b)));
}

/** Stands for an npm package as a config names it, with the folder of that config. */
const PACKAGE = 'versive-relay-plugin:';

let hooked = false;

/**
 * Lets connectors outside the package import `versive-relay/connector`, and `zod` when they bring none: a plugin's
 * secrets and templates must be of the very classes that the relay knows. Packages are looked for beside the config first.
 */
function shareContract(): void {
  if (hooked) return;
  hooked = true;
  const contract = new URL(import.meta.url.endsWith('.ts') ? '../connector.ts' : '../connector.js', import.meta.url);
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'versive-relay/connector') return { url: contract.href, shortCircuit: true };
      const named = specifier.startsWith(PACKAGE) ? new URL(specifier) : undefined;
      if (named === undefined && specifier !== 'zod') return next(specifier, context);
      const name = named?.searchParams.get('name') ?? specifier;
      try {
        return next(name, named ? { ...context, parentURL: named.searchParams.get('from') ?? undefined } : context);
      } catch {
        return next(name, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

/** What `loadConnector` takes for an npm package that the config in `folder` names. */
export function packageModule(name: string, folder: string): string {
  const from = pathToFileURL(path.join(folder, 'config.yaml')).href;
  return `${PACKAGE}?${new URLSearchParams({ name, from })}`;
}

/**
 * Imports one connector.
 * @param module an absolute path, or what `packageModule` gives
 * @param name what its `name` must be, when its file's name says so
 * @throws RelayError RELAY_CONFIG_CONNECTOR that says why it cannot be used
 */
export async function loadConnector(module: string, name?: string): Promise<Connector> {
  shareContract();
  const isPackage = module.startsWith(PACKAGE);
  const called = isPackage ? (new URL(module).searchParams.get('name') ?? module) : module;
  let exported: unknown;
  try {
    exported = ((await import(isPackage ? module : pathToFileURL(module).href)) as { default?: unknown }).default;
  } catch (error) {
    if (isPackage && isMissingPackage(error, called)) {
      throw new RelayError('RELAY_CONFIG_CONNECTOR', `there is no npm package "${called}" beside the config`, {
        fix: `Install it there: npm install ${called}. A folder of connectors begins with ./`,
        cause: error,
      });
    }
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new RelayError('RELAY_CONFIG_CONNECTOR', `the connector ${called} cannot be loaded: ${why}`, {
      cause: error,
    });
  }
  if (!isConnector(exported)) {
    throw new RelayError('RELAY_CONFIG_CONNECTOR', `${called} is no connector`, {
      fix: 'Export by default what defineConnector({ name, description, options, open }) gives.',
    });
  }
  if (name !== undefined && exported.name !== name) {
    throw new RelayError('RELAY_CONFIG_CONNECTOR', `${called} calls its connector "${exported.name}"`, {
      fix: `Give the file and the connector one name: rename the file, or set name: '${name}'.`,
    });
  }
  return exported;
}

function isMissingPackage(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
}

function isConnector(value: unknown): value is Connector {
  if (typeof value !== 'object' || value === null) return false;
  const { name, options, open } = value as Partial<Record<keyof Connector, unknown>>;
  const isSchema = typeof options === 'object' && options !== null && '_zod' in options;
  return typeof name === 'string' && /^[a-z0-9-]+$/.test(name) && isSchema && typeof open === 'function';
}

interface SecretOption {
  path: OptionPath;
  text: string;
}

export interface ParsedOptions {
  /** What `open` takes; undefined when there are problems. */
  options: unknown;
  problems: OptionProblem[];
  /** The options that are secrets, with their paths. */
  secrets: SecretOption[];
}

/**
 * Judges a destination's options by its connector's schema, and compiles its templates.
 * @param raw the options, without those that every destination takes (`connector`, `retry`, …)
 * @param settings `quote` names the substitution that a value came from, so that messages show `${NAME}` and not the value
 */
export function parseOptions<Schema extends z.ZodType>(
  connector: Connector<Schema>,
  raw: JsonObject,
  settings: { timezone: string; quote?: Quote },
): ParsedOptions {
  const judged = judgeOptions(connector, raw, settings.quote);
  const work: Compilation = { timezone: settings.timezone, problems: [...judged.problems], secrets: [] };
  if (judged.problems.length > 0) compileRightParts(connector.options, raw, [], work);
  const options = judged.value === undefined ? undefined : compile(judged.value, [], work);
  return { options: work.problems.length > 0 ? undefined : options, problems: work.problems, secrets: work.secrets };
}

/** A plugin's schema may have code of its own that fails. */
function judgeOptions(connector: Connector, raw: JsonObject, quote: Quote | undefined): ReturnType<typeof judge> {
  try {
    return judge(connector.options, raw, quote);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the connector ${connector.name} cannot judge its options: ${why}`;
    return { value: undefined, problems: [{ code: 'RELAY_CONFIG_CONNECTOR', path: [], message }] };
  }
}

interface Compilation {
  timezone: string;
  problems: OptionProblem[];
  secrets: SecretOption[];
}

/** A copy of the parsed options in which every `Uncompiled` is compiled. */
function compile(value: unknown, at: OptionPath, work: Compilation): unknown {
  if (value instanceof Secret) {
    work.secrets.push({ path: at, text: value.reveal() });
    return value;
  }
  if (value instanceof Uncompiled) return compileOne(value, at, work);
  if (Array.isArray(value)) return value.map((entry, index) => compile(entry, [...at, index], work));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, compile(entry, [...at, key], work)]));
}

/** Compiles what is right beside what is not, so that all problems, and all secrets, are known at once. */
function compileRightParts(schema: z.ZodType, raw: unknown, at: OptionPath, work: Compilation): void {
  if (typeof raw !== 'object' || raw === null) return;
  for (const [name, value] of Object.entries(raw)) {
    const key = Array.isArray(raw) ? Number(name) : name;
    const [inner] = schemasAt(schema, [key]);
    const parsed = inner?.safeParse(value);
    if (parsed?.success) compile(parsed.data, [...at, key], work);
    else if (inner) compileRightParts(inner, value, [...at, key], work);
  }
}

/** Problems of one destination's templates that are told. */
const MOST_PROBLEMS = 500;

function compileOne(uncompiled: Uncompiled, at: OptionPath, work: Compilation): unknown {
  if (work.problems.length >= MOST_PROBLEMS) return undefined;
  const settings = { ...uncompiled.options, timezone: work.timezone };
  try {
    return uncompiled.kind === 'template'
      ? compileTemplate(String(uncompiled.source), settings)
      : compileStructure(uncompiled.source, settings);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    for (const { path: inside, message, line, column } of error.problems) {
      work.problems.push({ code: 'RELAY_CONFIG_TEMPLATE', path: [...at, ...inside], message, place: { line, column } });
    }
    return undefined;
  }
}
