import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress, problemOf, secretsOfStore, shownStore } from '../../src/address.ts';
import { loadConfig } from '../../src/config/load.ts';
import { scrubber } from '../../src/config/secrets.ts';
import { makeFolder } from '../support/folder.ts';
import { SIGNING_SECRET } from '../support/signing.ts';
import { runVerb } from '../support/verb.ts';

test('an address is read with its options, and shown without password and options', () => {
  const store = 'postgresql://re%40lay:p%40ss%2Fword@db.example:6543/re%20lay?sslmode=verify-full&pool_size=20';
  assert.equal(problemOf(store), undefined);
  const { host, port, database, user, password, tls, poolSize } = parseAddress(store);
  assert.deepEqual([host, port, database, user, password], ['db.example', 6543, 're lay', 're@lay', 'p@ss/word']);
  assert.deepEqual([tls.mode, poolSize], ['verify-full', 20]);
  assert.equal(shownStore(store), 'postgres://re%40lay@db.example:6543/re%20lay');
  assert.deepEqual(secretsOfStore(store), ['p%40ss%2Fword', 'p@ss/word']);
  assert.equal(parseAddress('postgres://u@[::1]/d').host, '::1');
  assert.equal(parseAddress('postgres://u@%2Frun%2Fpg/d').host, '/run/pg');
  assert.equal(parseAddress('postgres:///d?host=/run/pg').host, '/run/pg');
  assert.equal(shownStore('./data/relay.db'), './data/relay.db');
});

test('what is wrong with an address is told without a word of it', () => {
  const cases: [string, RegExp][] = [
    ['postgres://u:s3cret#word@h/d', /%23/],
    ['postgres://u:s3cret/word@h/d', /%2F/],
    ['postgres://u:s3cret%word@h/d', /%25/],
    ['postgres://u:s3cretword@h', /no database/],
    ['postgres:///d', /no host/],
    ['postgres://u:s3cretword@h/d?sslmod=require', /no option "sslmod"\. Did you mean "sslmode"/],
    ['postgres://u:12/s?s3cret@h/d', /an option that is unknown\. There are sslmode, .*%3F/],
    ['postgres://u:12/s?s3cret_sslmode=1@h/d', /an option that is unknown/],
    ['postgres://u:12/s?s3cretword', /an option that is unknown/],
    ['postgres://u:s3cretword@h/d?sslmode=prefer', /verify-full/],
    ['postgres://u:s3cretword@h/d?sslrootcert=ca.pem', /whole path/],
    ['postgres://u:s3cretword@h/d?pool_size=1', /from 2 to 200/],
  ];
  for (const [store, problem] of cases) {
    const told = problemOf(store) ?? '';
    assert.match(told, problem);
    assert.ok(!told.includes('s3cret'), told);
  }
});

test('the password of a config’s store is a secret, and no verb shows it', async (t) => {
  const config = (store: string) => `store: "${store}"
sources: { versive: { secret: ${SIGNING_SECRET} } }
destinations: { lines: { connector: file, path: ./lines.jsonl } }
routes: [{ name: all, to: lines }]
`;
  const folder = await makeFolder(t, {
    'config.yaml': config(['postgres://relay:$', '{DB_PASSWORD}@127.0.0.1:1/relay'].join('')),
    'bad.yaml': config(['postgres://relay:$', '{DB_PASSWORD}@127.0.0.1:1/relay?sslmode=prefer'].join('')),
    '.env': 'DB_PASSWORD=zebra%40crossing\n',
  });
  const { config: read } = await loadConfig(`${folder}/config.yaml`, {});
  assert.equal(read?.store, 'postgres://relay:zebra%40crossing@127.0.0.1:1/relay');
  assert.equal(scrubber(read.secrets)('zebra%40crossing or zebra@crossing'), '[secret] or [secret]');
  const runs = [
    ['check'],
    ['check', '--config', 'bad.yaml'],
    ['serve', '--config', 'bad.yaml'],
    ['deliveries'],
    ['pause', 'lines'],
  ];
  for (const args of runs) {
    const { out, err } = await runVerb(args, { cwd: folder });
    assert.ok(!/zebra|crossing/.test(out + err), `${args}: ${out}${err}`);
  }
  const { code, err } = await runVerb(['events'], { cwd: folder });
  assert.equal(code, 1);
  assert.match(err, /postgres:\/\/relay@127\.0\.0\.1:1\/relay cannot be opened: .*ECONNREFUSED/);
});
