import { RelayError } from '../../errors.ts';
import { sqlState, surroundings } from './failure.ts';

const FIXES: readonly [start: string, fix: string][] = [
  [
    '28P01',
    'Correct the user or the password in `store:`; @ : / ? # and % in a password are written %40 %3A %2F %3F %23 %25.',
  ],
  [
    '28',
    'Let pg_hba.conf of the database admit this machine and user; where it wants TLS, add ?sslmode=verify-full to `store:`.',
  ],
  ['3D000', 'Make the database (CREATE DATABASE …), or correct its name in `store:`.'],
  [
    '42501',
    'Let the user own the schema versive_relay, or give it the right to make one: GRANT CREATE ON DATABASE … TO ….',
  ],
  ['53300', 'Raise max_connections of the database, or lower pool_size in `store:`.'],
  ['57P03', 'Wait until the database has started, then try again.'],
  ['08P01', 'Connect to PostgreSQL itself: a pooler such as PgBouncer does not pass on what the relay needs.'],
];

const NODE_FIXES: Record<string, string> = {
  ECONNREFUSED: 'Start the database, or correct the host and port in `store:`.',
  ENOTFOUND: 'Correct the host in `store:`.',
  EAI_AGAIN: 'Correct the host in `store:`, or mend the name service of this machine.',
  ENOENT: 'Correct the path in `store:`.',
  SELF_SIGNED_CERT_IN_CHAIN:
    'Name the certificate of the authority that signed the server’s: sslrootcert=/path/ca.pem.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Name the server’s certificate to be believed: sslrootcert=/path/server.pem.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'Name the certificate of the authority that signed the server’s: sslrootcert=/path/ca.pem.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use the host name that the server’s certificate is for, or sslmode=verify-ca.',
};

/** What kept a store from being opened, as RELAY_STORE_OPEN. No word of it has the password. */
export function openError(shown: string, error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const why = surroundings(error) ?? (error instanceof Error ? error.message : String(error));
  return new RelayError('RELAY_STORE_OPEN', `the store ${shown} cannot be opened: ${why}`, {
    fix: fixOf(error),
    cause: error,
  });
}

function fixOf(error: unknown): string {
  const state = sqlState(error);
  const known = FIXES.find(([start]) => state?.startsWith(start))?.[1];
  if (known !== undefined) return known;
  const errors = error instanceof AggregateError ? error.errors : [error];
  for (const each of errors) {
    const fix = NODE_FIXES[String((each as NodeJS.ErrnoException)?.code)];
    if (fix !== undefined) return fix;
  }
  const words = error instanceof Error ? error.message : '';
  if (/does not support SSL/.test(words)) return 'Turn TLS on in the database, or take sslmode out of `store:`.';
  if (/password must be a string|no password/i.test(words)) return 'Give the password in `store:`, or as PGPASSWORD.';
  return 'Let `store:` name a PostgreSQL database (14 or newer) that this machine can reach.';
}
