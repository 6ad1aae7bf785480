import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject } from '../../src/connector.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { CHANNEL, scene } from '../support/slack.ts';

const TWICE = /cannot look whether a message arrived, and the message may appear twice/;

/** A scene in which the token has exactly these scopes beside `chat:write`. */
async function withScopes(t: TestContext, ...scopes: string[]) {
  const { standIn, open } = await scene(t);
  standIn.tokens.set(SLACK_TOKEN, { scopes: new Set(['chat:write', ...scopes]), bot: 'B0VERSIVE' });
  standIn.addChannel({ id: 'C0PRIVATE99', name: 'private', isPrivate: true });
  const check = async (extra: JsonObject = {}, context = {}) => (await open(extra, context).check?.()) ?? [];
  return { standIn, check };
}

describe('slack: check() of what looking needs', () => {
  const lacking: [name: string, channel: string, scopes: string[], wanted: string][] = [
    ['a public channel', CHANNEL, ['channels:read', 'groups:history'], 'channels:history'],
    ['a private channel', 'C0PRIVATE99', ['groups:read', 'channels:history'], 'groups:history'],
    ['a direct message', 'D012AB3CD4', ['channels:history', 'groups:history'], 'im:history'],
  ];
  for (const [name, channel, scopes, wanted] of lacking) {
    it(`warns of a token that cannot read ${name}, and names the scope`, async (t) => {
      const findings = await (await withScopes(t, ...scopes)).check({ channel });
      assert.equal(findings.length, 1);
      assert.equal(findings[0]?.level, 'warning');
      assert.match(findings[0].message, TWICE);
      assert.match(findings[0].fix, new RegExp(`"Add an OAuth Scope": ${wanted};`));
      assert.deepEqual(await (await withScopes(t, ...scopes, wanted)).check({ channel }), []);
    });
  }

  it('takes any scope of a channel when it may not see of which kind it is', async (t) => {
    const fixes = async (...scopes: string[]) => (await (await withScopes(t, ...scopes)).check()).map(({ fix }) => fix);
    for (const scope of ['channels:history', 'groups:history']) {
      assert.equal((await fixes(scope)).length, 1, 'only that the channel cannot be seen');
    }
    assert.match((await fixes()).join('\n'), /channels:read.*\n.*channels:history/);
  });

  it('warns of a channel that the app is not in, and of a person in place of a channel', async (t) => {
    const { check, standIn } = await withScopes(t, 'channels:read', 'channels:history', 'chat:write.public');
    standIn.addChannel({ id: CHANNEL, isMember: false });
    const [outside, ...more] = await check();
    assert.equal(outside?.level, 'warning');
    assert.match(outside.message, TWICE);
    assert.match(outside.fix, /\/invite @versive_relay/);
    assert.deepEqual(more, []);
    const [person] = await check({ channel: 'U012AB3CD4' });
    assert.equal(person?.level, 'warning');
    assert.match(person.message, TWICE);
    assert.match(person.fix, /direct message \(D…/);
  });

  it('says nothing where Slack does not tell the scopes', async (t) => {
    const { check } = await withScopes(t, 'channels:read');
    const withoutScopes: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      return new Response(response.body, { status: response.status });
    };
    assert.deepEqual(await check({}, { fetch: withoutScopes }), []);
  });
});
