import { RelayError } from '../../errors.ts';

/** SQLSTATE classes and codes (https://www.postgresql.org/docs/current/errcodes-appendix.html) that the surroundings cause. */
const SURROUNDINGS: readonly [start: string, why: string][] = [
  ['08', 'the connection failed'],
  ['25006', 'the database takes no writes: it is a standby, or was made read-only'],
  ['28', 'the database refuses the user'],
  ['3D000', 'the database is not there'],
  ['40', 'other transactions were in the way'],
  ['42501', 'the user lacks a right'],
  ['53100', 'the disk of the database is full'],
  ['53200', 'the database is out of memory'],
  ['53300', 'the database has no connection left'],
  ['53', 'the database lacks resources'],
  ['55P03', 'a lock was held for too long'],
  ['57014', 'a statement took too long'],
  ['57P03', 'the database is starting or stopping'],
  ['57P05', 'the connection was idle for too long'],
  ['57P', 'the database ended the connection'],
  ['58', 'the disk of the database fails'],
  ['XX', 'the database reports damage'],
];

/** The SQLSTATE of an error of the database, undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object) ? code : undefined;
}

/** Why the surroundings refused what was asked of the database; undefined for an error of ours. */
export function surroundings(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof RelayError) return undefined;
  const state = sqlState(error);
  if (state !== undefined) {
    const why = SURROUNDINGS.find(([start]) => state.startsWith(start))?.[1];
    return why && `${why} (${error.message}, ${state})`;
  }
  // All else that the driver gives up with is about the connection; a bug is of these kinds.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return undefined;
  return `the database cannot be reached (${wordsOf(error)})`;
}

/** Node.js tries several addresses of a host, and then tells only that all failed. */
function wordsOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each) => (each as Error).message).join('; ');
  return error.message;
}

/** The error of a write that the surroundings refused, as RELAY_STORE_BUSY; any other error as it is. */
export function writeError(error: unknown): unknown {
  const why = surroundings(error);
  if (why === undefined) return error;
  return new RelayError('RELAY_STORE_BUSY', `the store cannot commit: ${why}`, {
    fix: 'Look at the database: is it up, does it take writes, has it connections and space left? Nothing was half written.',
    cause: error,
  });
}

/** The error of a read that the surroundings refused, as RELAY_STORE_OPEN; any other error as it is. */
export function readError(error: unknown): unknown {
  const why = surroundings(error);
  if (why === undefined) return error;
  return new RelayError('RELAY_STORE_OPEN', `the store cannot be read: ${why}`, {
    fix: 'Look at the database: is it up, and has it connections left?',
    cause: error,
  });
}

/** Codes of Node.js: nobody listens there yet, its name is not known yet, or nothing leads there yet. */
const AWAY = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'];

/** True when trying again in a moment may help: the database is starting, or not up yet. */
export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return state === '57P03' || state === '53300';
  const errors = error instanceof AggregateError ? error.errors : [error];
  return errors.some((each) => AWAY.includes((each as NodeJS.ErrnoException)?.code ?? ''));
}
