/** The text of a first config, as `init` writes it, and of the `.env` beside it. */
import { randomBytes } from 'node:crypto';

/** What a person chose. Ids may be addresses from the browser. */
export interface Choices {
  timezone: string;
  slackChannel?: string | undefined;
  notionDataSource?: string | undefined;
  spreadsheet?: string | undefined;
  /** Path of a service account's key file, relative to the config. */
  googleCredentials?: string | undefined;
  /** Values of variables by their names; one that is missing gets a placeholder that `check` takes. */
  values: Record<string, string>;
}

interface Variable {
  name: string;
  comment: string;
  placeholder: string;
}

export interface FirstConfig {
  config: string;
  env: string;
  /** The variables that each destination of a service needs, by its name. */
  needs: Map<string, string[]>;
}

export function firstConfig(choices: Choices): FirstConfig {
  const { timezone, slackChannel, notionDataSource, spreadsheet, googleCredentials } = choices;
  const destinations: string[] = [];
  const names: string[] = [];
  const needs = new Map<string, string[]>();
  const variables: Variable[] = [
    {
      name: 'VERSIVE_WEBHOOK_SECRET',
      comment: "The signing secret of your webhook endpoint at Versive. This one is random: replace it by Versive's.",
      placeholder: `whsec_${randomBytes(24).toString('base64')}`,
    },
  ];
  if (slackChannel !== undefined) {
    names.push('research-alerts');
    needs.set('research-alerts', ['SLACK_BOT_TOKEN']);
    destinations.push(`  research-alerts:
    connector: slack
    token: \${SLACK_BOT_TOKEN}
    channel: ${quoted(slackChannel)}
`);
    variables.push({
      name: 'SLACK_BOT_TOKEN',
      comment:
        'Slack: "Bot User OAuth Token" of your app, with chat:write, channels:read and channels:history; invite it to the channel.',
      placeholder: 'xoxb-replace-this',
    });
  }
  if (notionDataSource !== undefined) {
    names.push('interview-library');
    needs.set('interview-library', ['NOTION_TOKEN']);
    destinations.push(`  interview-library:
    connector: notion
    token: \${NOTION_TOKEN}
    data_source: ${quoted(notionDataSource)}
`);
    variables.push({
      name: 'NOTION_TOKEN',
      comment: 'Notion: the secret of your internal connection; share the database with it.',
      placeholder: 'ntn_replace_this',
    });
  }
  if (spreadsheet !== undefined) {
    names.push('tracker');
    needs.set('tracker', googleCredentials === undefined ? ['GOOGLE_ACCESS_TOKEN'] : []);
    const byFile = `    credentials: \${file:${googleCredentials}}`;
    const byToken = `    # credentials: \${file:./google.json}   # the key of a service account: it replaces the next line
    access_token: \${GOOGLE_ACCESS_TOKEN}`;
    destinations.push(`  tracker:
    connector: google-sheets
${googleCredentials === undefined ? byToken : byFile}
    spreadsheet: ${quoted(spreadsheet)}
`);
    if (googleCredentials === undefined) {
      variables.push({
        name: 'GOOGLE_ACCESS_TOKEN',
        comment:
          'Google: an access token, for a try (it ends after an hour). For good, use `credentials:` in the config.',
        placeholder: 'ya29.replace-this',
      });
    }
  }
  if (names.length === 0) {
    names.push('archive');
    destinations.push(`  archive:
    connector: file
    path: \${ARCHIVE_FILE:-./interviews.jsonl}
`);
  }
  const config = `# The config of versive-relay. config.example.yaml shows every option; \`versive-relay check\` finds every mistake.
server:
  port: \${PORT:-8080}
timezone: ${timezone}
store: \${RELAY_STORE:-./data/relay.db}

sources:
  versive:                                   # POST /webhooks/versive
    secret: \${VERSIVE_WEBHOOK_SECRET}
    when: { interview.is_mock: false }       # leave test interviews out

destinations:
${destinations.join('\n')}
routes:
  - name: Every interview
    to: [${names.join(', ')}]

tests:                                       # what the routes must do: versive-relay test
  - name: an interview arrives
    event: { interview: { active_time: 600 } }
    to: [${names.join(', ')}]
  - name: a test interview goes nowhere
    event: { interview: { is_mock: true } }
    to: unrouted
`;
  const lines = variables.map(({ name, comment, placeholder }) => {
    return `# ${comment}\n${name}=${envValue(choices.values[name] ?? placeholder)}\n`;
  });
  const env = `# Secrets of the config beside: keep this file to yourself.\n\n${lines.join('\n')}`;
  return { config, env, needs };
}

/** A text in double quotes, which YAML reads as JSON does, with no \`\${…}\` of its own. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('${', '$${');
}

/** A value as a `.env` file needs it. */
function envValue(text: string): string {
  if (/^[\w.:/+=@-]*$/.test(text)) return text;
  const quote = ["'", '"', '`'].find((mark) => !text.includes(mark)) ?? '';
  return `${quote}${text}${quote}`;
}
