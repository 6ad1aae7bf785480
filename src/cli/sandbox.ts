import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { portOption } from './options.ts';
import { untilSignal } from './signals.ts';

export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description('stand-ins for Slack, Notion and Google Sheets on this machine, until Ctrl-C')
    .addOption(portOption())
    .addHelpText(
      'after',
      `
What the real services would refuse, the stand-ins refuse with the same errors. Whatever arrives is shown on a page.

Examples:
  $ versive-relay sandbox --port 4000
  $ curl -X POST localhost:4000/sandbox/faults -H 'content-type: application/json' \\
      -d '{"service":"slack","kind":"429","times":3,"retryAfter":2}'`,
    )
    .action(async ({ port }: { port?: number }) => {
      const { startSandbox } = await import('../sandbox/sandbox.ts');
      const sandbox = await startSandbox(port === undefined ? {} : { port });
      process.stdout.write(await description(sandbox));
      await untilSignal();
      await sandbox.close();
    });
}

async function description({ url, apiUrl, notion }: Sandbox): Promise<string> {
  const [{ FAULT_KINDS }, { SLACK_TOKEN }, { SHEETS_SPREADSHEET, SHEETS_TOKEN }] = await Promise.all([
    import('../sandbox/faults.ts'),
    import('../sandbox/slack.ts'),
    import('../sandbox/sheets.ts'),
  ]);
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
  return `
The stand-ins are running. What arrives is shown at ${bold(url)}

${bold('Point a config at them')}
  destinations:
    slack-sandbox:
      connector: slack
      api_url: ${apiUrl.slack}
      token: ${SLACK_TOKEN}
      channel: C0123456789
    notion-sandbox:
      connector: notion
      api_url: ${apiUrl.notion}
      token: ntn_sandbox
      data_source: ${notion.dataSource}
    sheets-sandbox:
      connector: google-sheets
      api_url: ${apiUrl.sheets}
      access_token: ${SHEETS_TOKEN}
      spreadsheet: ${SHEETS_SPREADSHEET}

${bold('Control')}
  GET    ${url}/sandbox/state     what stands in all three, as JSON
  GET    ${url}/sandbox/events    the same as server-sent events, on each change
  POST   ${url}/sandbox/faults    {"service": "slack", "kind": "429", "times": 3, "retryAfter": 2}
  DELETE ${url}/sandbox/faults    no more faults
  services: slack, notion, sheets
  kinds: ${FAULT_KINDS.join(', ')}

Ctrl-C stops them and forgets everything.
`;
}
