import { didYouMean } from './suggest.ts';

/** Where a PostgreSQL store is, as `store:` says it. */
export interface PostgresAddress {
  host: string;
  port: number;
  database: string;
  user: string | undefined;
  /** Undefined leaves it to PGPASSWORD. */
  password: string | undefined;
  tls: Tls;
  /** The most connections for receiving, lists and verbs; a relay that serves holds two more. */
  poolSize: number;
  /** Milliseconds after which the database gives a statement up. */
  statementTimeout: number;
  /** Milliseconds that connecting may take. */
  connectTimeout: number;
}

/** As libpq names them (https://www.postgresql.org/docs/current/libpq-ssl.html). */
interface Tls {
  mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** Absolute paths of PEM files: the authority to believe (undefined: those that Node.js knows), our certificate and its key. */
  rootCert: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

const MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'] satisfies Tls['mode'][];
const FILES = ['sslrootcert', 'sslcert', 'sslkey'];
/** Numbers that the address may have, from and to. */
const NUMBERS: Record<string, [least: number, most: number]> = {
  pool_size: [2, 200],
  statement_timeout: [1000, 600_000],
  connect_timeout: [1, 300],
};
const OPTIONS = ['sslmode', ...FILES, 'host', ...Object.keys(NUMBERS)];

/** Is the store a PostgreSQL database, and not a file? */
export function isPostgres(store: string): boolean {
  return /^postgres(ql)?:/i.test(store);
}

/** The store as people may see it: an address without its password and options. */
export function shownStore(store: string): string {
  if (!isPostgres(store)) return store;
  if (problemOf(store) !== undefined) return 'postgres://…';
  const { user, host, port, database } = parseAddress(store);
  const at = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  const name = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `postgres://${name}${at}${port === 5432 ? '' : `:${port}`}/${encodeURIComponent(database)}`;
}

/** What is wrong with the address of a PostgreSQL database, in words that show none of it; undefined when nothing is. */
export function problemOf(store: string): string | undefined {
  const form = 'postgres://user:password@host:5432/database';
  const url = URL.canParse(store) ? new URL(store) : undefined;
  if (!url) {
    return `this cannot be read as ${form}; in a password, write @ : / ? # and % as %40 %3A %2F %3F %23 and %25`;
  }
  try {
    for (const part of [url.username, url.password, url.hostname, url.pathname]) decodeURIComponent(part);
  } catch {
    return 'a % in the address of a database begins a code such as %40; a % itself is written %25';
  }
  if (url.hash !== '') return 'a # in the address of a database is written %23';
  if (url.hostname === '' && !url.searchParams.has('host')) return `the address names no host: ${form}`;
  if (!/^\/[^/]+$/.test(url.pathname)) return `the address names no database: ${form}`;
  for (const [name, value] of url.searchParams) {
    const wrong = problemOfOption(name, value);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function problemOfOption(name: string, value: string): string | undefined {
  if (!OPTIONS.includes(name)) {
    // A ? in a password would make a piece of it the name of an option: only what is nearly one is shown.
    const meant = /^[a-z_]+$/.test(name) ? didYouMean(name, OPTIONS) : '';
    if (meant !== '') return `the address of a database has no option "${name}".${meant}`;
    return `the address of a database has an option that is unknown. There are ${OPTIONS.join(', ')}; in a password, write ? as %3F`;
  }
  if (name === 'sslmode' && !MODES.includes(value)) {
    return `sslmode is ${MODES.slice(0, -1).join(', ')} or ${MODES.at(-1)}: what falls back to no encryption is not offered`;
  }
  if (FILES.includes(name) && !value.startsWith('/') && !/^[a-z]:[\\/]/i.test(value)) {
    return `${name} in the address of a database is the whole path of a file, such as /run/secrets/db-ca.pem`;
  }
  const range = NUMBERS[name];
  if (range && !(/^\d{1,6}$/.test(value) && Number(value) >= range[0] && Number(value) <= range[1])) {
    return `${name} in the address of a database is a whole number from ${range[0]} to ${range[1]}`;
  }
  return undefined;
}

/** Of an address in which `problemOf` finds nothing wrong. */
export function parseAddress(store: string): PostgresAddress {
  const url = new URL(store);
  const option = (name: string) => url.searchParams.get(name) ?? undefined;
  const number = (name: string, otherwise: number) => Number(option(name) ?? otherwise);
  const text = (part: string) => (part === '' ? undefined : decodeURIComponent(part));
  return {
    host: option('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: text(url.username),
    password: text(url.password),
    tls: {
      mode: (option('sslmode') ?? 'disable') as Tls['mode'],
      rootCert: option('sslrootcert'),
      cert: option('sslcert'),
      key: option('sslkey'),
    },
    poolSize: number('pool_size', 10),
    statementTimeout: number('statement_timeout', 30_000),
    connectTimeout: number('connect_timeout', 10) * 1000,
  };
}

/** What of a store's address must not be seen anywhere: its password, also as it is written there. */
export function secretsOfStore(store: string): string[] {
  if (!isPostgres(store) || !URL.canParse(store)) return [];
  const { password } = new URL(store);
  if (password === '') return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
