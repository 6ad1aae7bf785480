import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder, printFinding } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const CONFIG = `sources: { versive: { secret: ${SIGNING_SECRET} } }
plugins: [./own]
destinations:
  picky: { connector: picky, token: hunter22 }
routes: [{ name: all, to: picky }]
`;
const TOLD = '4:3 destinations.picky: destinations.picky cannot be opened: it does not like';

for (const [who, more] of Object.entries({
  tests: 'tests: [{ name: a, event: {}, renders: { picky: { contains: x } } }]\n',
  on_failure: 'on_failure: picky\n',
  advice: '',
})) {
  test(`a connector that refuses to be opened is told at its destination, by way of ${who}`, async (t) => {
    const folder = await makeFolder(t, {
      'config.yaml': CONFIG + more,
      'own/picky.ts': `import { defineConnector, secret } from 'versive-relay/connector';
import { z } from 'zod';
export default defineConnector({
  name: 'picky',
  description: 'Refuses.',
  options: z.object({ token: secret() }),
  open: ({ token }) => { throw new Error('it does not like ' + token.reveal()); },
});
`,
    });
    const samples = sampleEvents();
    const { config, findings } = await loadConfig(path.join(folder, 'config.yaml'), {}, { samples });
    const told = findings.filter(({ code }) => code === 'RELAY_CONFIG_CONNECTOR').map(printFinding);
    assert.equal(told.length, 1, findings.map(printFinding).join('\n'));
    assert.ok(told[0]?.startsWith(`${TOLD} [secret]`), told[0]);
    assert.equal(config, undefined);
  });
}
