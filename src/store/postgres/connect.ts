import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { PostgresAddress } from '../../address.ts';

/** The tables' own schema, so that other programs may share the database. */
export const SCHEMA = 'versive_relay';

const INT8 = 20;

/** Counts, times and ids are all below 2⁵³. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    (oid as number) === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid as number, format),
};

/** Settings of a session, which the server applies before the first statement. */
export type Settings = Record<string, string | number>;

/**
 * How a connection is made.
 *
 * @throws Error when a file of the address cannot be read
 */
export function clientConfig(address: PostgresAddress, settings: Settings): pg.ClientConfig {
  const { host, port, database, user, password } = address;
  const all = { search_path: SCHEMA, statement_timeout: address.statementTimeout, ...settings };
  return {
    host,
    port,
    database,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ssl: tlsOf(address),
    application_name: 'versive-relay',
    connectionTimeoutMillis: address.connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: Object.entries(all)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    types,
  };
}

function tlsOf({ host, tls }: PostgresAddress): false | ConnectionOptions {
  const { mode, rootCert, cert, key } = tls;
  if (mode === 'disable') return false;
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  const files = { ca: read(rootCert), cert: read(cert), key: read(key) };
  const given = Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined));
  // The host too: of one that is an address, it would not be known what the certificate is to be for.
  if (mode === 'verify-full') return { ...given, host };
  // As libpq has it: a root certificate that is named is believed in, and no other.
  if (mode === 'verify-ca' || rootCert !== undefined) return { ...given, checkServerIdentity: () => undefined };
  return { ...given, rejectUnauthorized: false };
}
