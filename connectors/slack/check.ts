import type { WebClient } from '@slack/web-api';
import type { CheckFinding } from 'versive-relay/connector';
import { historyScopes, scopeFix, slackCode, slackOutcome } from './errors.ts';
import { PERSON_FIX } from './find.ts';

/** Asks Slack whether a post to the channel would work, and whether it could be looked for; posts nothing. */
export async function checkSlack(slack: WebClient, id: string): Promise<CheckFinding[]> {
  let user: string | undefined;
  let scopes: string[] | undefined;
  try {
    const answer = await slack.auth.test();
    user = answer.user;
    scopes = answer.response_metadata?.scopes;
  } catch (error) {
    return [findingOf(error)];
  }
  const findings: CheckFinding[] = [];
  if (scopes && !scopes.includes('chat:write')) {
    const message = 'The Slack app may not post: its token has no scope chat:write.';
    findings.push({ level: 'error', message, fix: scopeFix('chat:write') });
  }
  if (id.startsWith('U')) return [...findings, blindTo(id, 'it is the id of a person', PERSON_FIX)];
  // Of a direct message there is nothing to look up.
  const { found, scope } = /^[CG]/.test(id) ? await checkChannel(slack, id, { user, scopes }) : { found: [] };
  const wanted: [string, ...string[]] = scope === undefined ? historyScopes(id) : [scope];
  findings.push(...found);
  if (scopes && !wanted.some((each) => scopes.includes(each))) {
    findings.push(blindTo(id, `the token has no scope ${wanted[0]}`, scopeFix(wanted[0])));
  }
  return findings;
}

interface App {
  user: string | undefined;
  scopes: string[] | undefined;
}

/**
 * Whether the app can post in a channel.
 * @returns `scope`: what reading the channel needs; undefined when its kind is not known
 */
async function checkChannel(
  slack: WebClient,
  id: string,
  { user, scopes }: App,
): Promise<{ found: CheckFinding[]; scope?: string }> {
  try {
    const { channel } = await slack.conversations.info({ channel: id });
    const name = `#${channel?.name ?? id}`;
    const scope = channel?.is_mpim ? 'mpim:history' : `${channel?.is_private ? 'groups' : 'channels'}:history`;
    const invite = `Type this in the channel: /invite @${user ?? 'the app'}`;
    if (channel?.is_archived) {
      const fix = 'Unarchive it in Slack, or name another one in `channel:`.';
      return { found: [{ level: 'error', message: `The Slack channel ${name} is archived.`, fix }], scope };
    }
    if (channel?.is_member) return { found: [], scope };
    if (!channel?.is_private && scopes?.includes('chat:write.public')) {
      return { found: [blindTo(name, 'the app is not in it', invite)], scope };
    }
    return { found: [{ level: 'error', message: `The Slack app is not in the channel ${name}.`, fix: invite }], scope };
  } catch (error) {
    const finding = findingOf(error);
    if (slackCode(error) !== 'missing_scope') return { found: [finding] };
    const message = `Whether the app can post in ${id} could not be seen: ${finding.message}`;
    return { found: [{ ...finding, level: 'warning', message }] };
  }
}

/** That the relay cannot read what it posted, and what that costs. */
function blindTo(channel: string, because: string, fix: string): CheckFinding {
  const cost =
    'After a lost answer or a crash it cannot look whether a message arrived, and the message may appear twice.';
  return { level: 'warning', message: `The relay cannot read ${channel}: ${because}. ${cost}`, fix };
}

function findingOf(error: unknown): CheckFinding {
  const outcome = slackOutcome(error);
  if (outcome.kind === 'halt' || outcome.kind === 'reject') {
    return { level: 'error', message: `${outcome.detail}.`, fix: outcome.fix };
  }
  const fix = 'Check the network and `api_url:`, and run the check again.';
  return { level: 'error', message: `Slack could not be asked: ${outcome.detail}.`, fix };
}
