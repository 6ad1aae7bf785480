/**
 * Every error that the relay shows a person has a code of this table. docs/errors.md explains each one; a test holds
 * the two together.
 */
export const ERRORS = {
  RELAY_CONFIG_NOT_FOUND: 'The config file is not there, or cannot be read.',
  RELAY_CONFIG_SYNTAX: 'The config is not YAML that can be read.',
  RELAY_CONFIG_TRAP: 'YAML reads this differently from what was surely meant.',
  RELAY_CONFIG_UNKNOWN_KEY: 'There is no such option.',
  RELAY_CONFIG_MISSING: 'A required option is missing.',
  RELAY_CONFIG_INVALID: 'A value is not what its option expects.',
  RELAY_CONFIG_VARIABLE: 'A substituted variable or file is missing.',
  RELAY_CONFIG_REFERENCE: 'A name points at nothing.',
  RELAY_CONFIG_FILTER: 'A filter cannot be understood.',
  RELAY_CONFIG_PATH: 'A filter or template names a field that interviews do not have.',
  RELAY_CONFIG_NEVER: 'A route or condition can never take an event.',
  RELAY_CONFIG_TEMPLATE: 'A template cannot be parsed, or not be rendered with a sample event.',
  RELAY_CONFIG_CONNECTOR: 'A connector cannot be loaded.',
  RELAY_CONFIG_NO_ROUTES: 'The config has no routes.',
  RELAY_CONFIG_UNUSED: 'Nothing uses this part of the config.',
  RELAY_CONFIG_SECRET: 'A secret stands in the config in plain text.',
  RELAY_CHECK_LIVE: 'A service told the live check that something is missing or wrong.',
  RELAY_STORE_NEWER: 'The store was written by a newer version.',
  RELAY_STORE_OLDER: 'The store is at the schema of an older version.',
  RELAY_STORE_LOCKED: 'Another relay is serving this store.',
  RELAY_STORE_OPEN: 'The store cannot be opened or written.',
  RELAY_STORE_BUSY: 'The store cannot commit right now.',
  RELAY_PORT: 'The relay cannot listen on its address.',
  RELAY_NOT_RUNNING: 'No relay is running on this store or address.',
  RELAY_REFUSED: 'A relay did not take an event.',
  RELAY_FILE: 'A file cannot be read or written.',
  RELAY_NOT_FOUND: 'There is nothing with that name or id.',
  RELAY_STATE: 'What was named is in a state in which that cannot be done.',
  RELAY_USAGE: 'The command line cannot be understood.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Process exit codes of every verb. 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { ok: 0, no: 1, usage: 2, config: 78 } as const;

/** An error meant for a person: what happened (`message`), what to do (`fix`), and how the process ends. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
    this.exitCode = exitCodeOf(code);
  }
}

function exitCodeOf(code: ErrorCode): number {
  if (code === 'RELAY_USAGE') return EXIT.usage;
  return code.startsWith('RELAY_CONFIG_') ? EXIT.config : EXIT.no;
}

/**
 * One thing that `check` has to say, about the config file or (with `--live`) about a service. This is also the line
 * that `check --json` prints.
 */
export interface Finding {
  level: 'error' | 'warning';
  code: ErrorCode;
  /** The config file as it was named on the command line. */
  file: string;
  /** One-based. */
  line: number;
  /** One-based. */
  column: number;
  /** As in `routes[2].to`; empty for the file as a whole. */
  path: string;
  message: string;
  fix?: string;
}
