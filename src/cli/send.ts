import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Config, SourceConfig } from '../config/config.ts';
import { parseDuration } from '../config/durations.ts';
import { RelayError } from '../errors.ts';
import { type Posted, postEvent } from '../sandbox/post.ts';
import { sampleInterview } from '../sandbox/samples.ts';
import { readBody } from './chosen-event.ts';
import { readConfig } from './common.ts';
import { named } from './names.ts';
import { configOption, wholeNumber } from './options.ts';
import { deliverDirectly } from './send-to.ts';
import { count } from './words.ts';

const WHOLE_EVENT = 'Name a file with the JSON of an event, or leave it away for a sample.';

interface SendOptions {
  config: string;
  count: number;
  url?: string;
  source?: string;
  to?: string;
  wait: string;
}

export function sendCommand(): Command {
  return new Command('send')
    .description('sign a sample interview (or an event file) and post it to a running relay')
    .argument('[event file]', 'JSON of an event as Versive sends it; a sample interview by default')
    .addOption(configOption())
    .option('--count <number>', 'send so many', (text) => wholeNumber(text, 1, 10_000), 1)
    .option('--url <url>', 'where the relay listens; by default as the config says, on this machine')
    .option('--source <name>', "the source to send to; by default the config's first")
    .option('--to <destination>', 'deliver to this destination only, whatever the routes say, and print the link')
    .option('--wait <duration>', 'with --to: how long to wait for the delivery', '30s')
    .addHelpText(
      'after',
      `
Each sample is a new interview. An event file is sent as it is, with a new svix-id.

Examples:
  $ versive-relay send
  $ versive-relay send --to research-alerts
  $ versive-relay send --count 5 --url https://relay.example.com
  $ versive-relay send interview.json`,
    )
    .action(async (file: string | undefined, options: SendOptions) => {
      const config = await readConfig(options.config);
      const [first = ''] = config.sources.keys();
      const source = named('source', options.source ?? first, config.sources);
      const bodies =
        file === undefined ? samples(options.count) : Array(options.count).fill(await readBody(file, WHOLE_EVENT));
      if (options.to === undefined) await postAll(bodies, source, options.url ?? addressOf(config));
      else await deliverDirectly(bodies, { config, source, to: options.to, patience: patienceOf(options.wait) });
    });
}

function samples(count: number): Buffer[] {
  return Array.from({ length: count }, (_, n) =>
    Buffer.from(JSON.stringify(sampleInterview(n, { id: randomUUID(), endedAt: new Date() }))),
  );
}

/** Where the relay of this config listens, seen from this machine. */
function addressOf({ server: { host, port } }: Config): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${local}:${port}`;
}

function patienceOf(text: string): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined) return parsed;
  throw new RelayError('RELAY_USAGE', `--wait: expected a duration such as 30s or 2m, found "${text}"`);
}

async function postAll(bodies: Buffer[], source: SourceConfig, url: string): Promise<void> {
  const [secret] = source.secrets;
  if (!secret) throw new RelayError('RELAY_CONFIG_MISSING', `the source ${source.name} has no secret to sign with`);
  for (const body of bodies) {
    const posted = await postEvent({ url, source: source.name, secret: secret.reveal(), body });
    if (posted.event === '') throw refusal(posted, source.name, url);
    const { event, deliveries } = posted;
    const note = deliveries === 0 ? '  (unrouted or quarantined: `versive-relay explain` says why)' : '';
    process.stdout.write(`${event}  ${count(deliveries, 'delivery', 'deliveries')}${note}\n`);
  }
}

/** What an answer other than 2xx means, and what to do. */
function refusal({ status }: Posted, source: string, url: string): RelayError {
  const explained: Record<number, [message: string, fix: string]> = {
    401: [
      `refused the signature of source "${source}"`,
      "Use the relay's own config and secrets here; look also whether the two clocks agree.",
    ],
    404: [
      `has no source "${source}" there`,
      'Use its own config here, or give --source; a path prefix belongs into --url.',
    ],
    413: ['found the event too large', 'Raise server.body_limit.'],
    503: ['cannot store events now, or is stopping', 'Its log says why; try again.'],
  };
  const [message, fix] = explained[status] ?? [`answered ${status}`, 'Is it a versive-relay? Its log says why.'];
  return new RelayError(status === 503 ? 'RELAY_STORE_BUSY' : 'RELAY_REFUSED', `the relay at ${url} ${message}`, {
    fix,
  });
}
