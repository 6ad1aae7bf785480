import type { WebClient } from '@slack/web-api';
import type { CheckFinding } from 'versive-relay/connector';
import { scopeFix, slackCode, slackOutcome } from './errors.ts';

/** Asks Slack whether a post to the channel would work; posts nothing. */
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
  // Of a direct message there is nothing to look up.
  if (!/^[CG]/.test(id)) return findings;
  try {
    const { channel } = await slack.conversations.info({ channel: id });
    const name = `#${channel?.name ?? id}`;
    const mayPost = channel?.is_member || (!channel?.is_private && scopes?.includes('chat:write.public'));
    if (channel?.is_archived) {
      const fix = 'Unarchive it in Slack, or name another one in `channel:`.';
      findings.push({ level: 'error', message: `The Slack channel ${name} is archived.`, fix });
    } else if (!mayPost) {
      const fix = `Type this in the channel: /invite @${user ?? 'the app'}`;
      findings.push({ level: 'error', message: `The Slack app is not in the channel ${name}.`, fix });
    }
  } catch (error) {
    const finding = findingOf(error);
    if (slackCode(error) === 'missing_scope') {
      const message = `Whether the app can post in ${id} could not be seen: ${finding.message}`;
      findings.push({ ...finding, level: 'warning', message });
    } else findings.push(finding);
  }
  return findings;
}

function findingOf(error: unknown): CheckFinding {
  const outcome = slackOutcome(error);
  if (outcome.kind === 'halt' || outcome.kind === 'reject') {
    return { level: 'error', message: `${outcome.detail}.`, fix: outcome.fix };
  }
  const detail = outcome.kind === 'delivered' ? '' : outcome.detail;
  const fix = 'Check the network and `api_url:`, and run the check again.';
  return { level: 'error', message: `Slack could not be asked: ${detail}.`, fix };
}
