import path from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Config, DestinationConfig } from '../config/config.ts';
import { scrubber } from '../config/secrets.ts';
import type { Item, Log } from '../connector.ts';
import { EXIT, RelayError } from '../errors.ts';
import type { JsonValue, Payload } from '../model.ts';
import { interviewView } from '../render/interview.ts';
import { TemplateRenderError } from '../render/template.ts';
import { didYouMean } from '../suggest.ts';
import { type ChosenEvent, readEvent, sourceOption } from './chosen-event.ts';
import { configOption, jsonOption, readConfig } from './common.ts';
import { routedFields } from './explain.ts';

const silent: Log = { debug() {}, info() {}, warn() {} };

export function previewCommand(): Command {
  return new Command('preview')
    .description('show what each destination would be sent for an event; nothing is sent')
    .argument('<event>', 'a file with a payload, - for standard input, or the id of a stored event')
    .addOption(configOption())
    .option('--to <destination>', 'this destination only, whatever the routes say')
    .addOption(sourceOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ versive-relay preview e42
  $ versive-relay preview interview.json --to research-alerts`,
    )
    .action(async (argument: string, options: { config: string; to?: string; source?: string; json?: boolean }) => {
      const config = await readConfig(options.config);
      const chosen = await readEvent(config, argument, options.source);
      const { payload } = chosen.judged;
      if (payload === undefined) {
        throw new RelayError('RELAY_NOT_FOUND', `nothing would be sent: ${quarantine(chosen)}`, {
          fix: 'A payload is what Versive documents: event_type, interview.id and study.id at least.',
        });
      }
      const names = options.to === undefined ? routedTo(config, chosen, payload) : [options.to];
      if (names.length === 0) process.stderr.write('No route takes this event: nothing would be sent.\n');
      for (const name of names) await show(config, chosen, payload, name, options.json === true);
    });
}

function quarantine({ judged }: ChosenEvent): string {
  return `the event would be kept as quarantined${judged.payload === undefined ? ` (${judged.reason})` : ''}`;
}

function routedTo(config: Config, { source }: ChosenEvent, payload: Payload): string[] {
  const fields = routedFields(payload, source.name);
  return source.when?.test(fields) === false ? [] : config.table.route(fields).destinations;
}

/** Prints one destination's preview. A template that fails is told in its place, and makes the verb's answer no. */
async function show(config: Config, chosen: ChosenEvent, payload: Payload, name: string, json: boolean): Promise<void> {
  const destination = config.destinations.get(name);
  if (destination === undefined) {
    const names = [...config.destinations.keys()];
    throw new RelayError('RELAY_NOT_FOUND', `there is no destination "${name}".${didYouMean(name, names)}`, {
      fix: `The destinations are ${names.join(', ')}.`,
    });
  }
  const { target, preview, error } = await previewAt(config, destination, itemFor(config, chosen, payload, name));
  if (error !== undefined) process.exitCode = EXIT.no;
  const scrub = scrubber(config.secrets);
  const stream = process.stdout;
  if (json) {
    stream.write(
      `${scrub(JSON.stringify({ destination: name, preview: preview ?? null, ...(error && { error }) }))}\n`,
    );
    return;
  }
  stream.write(`${styleText('bold', name, { stream })} ${styleText('dim', target, { stream })}\n`);
  if (error !== undefined) stream.write(`${styleText('red', `It would be rejected: ${scrub(error)}`, { stream })}\n\n`);
  else if (preview === undefined) stream.write('Its connector cannot show what it would send.\n\n');
  else stream.write(`${scrub(JSON.stringify(preview, undefined, 2))}\n\n`);
}

interface Preview {
  target: string;
  preview: JsonValue | undefined;
  /** Why the template could not be rendered. */
  error: string | undefined;
}

async function previewAt(
  config: Config,
  { name, connector, options }: DestinationConfig,
  item: Item,
): Promise<Preview> {
  const destination = connector.open(options, {
    destination: name,
    folder: path.dirname(config.file),
    timezone: config.timezone,
    log: silent,
    fetch: () => Promise.reject(new Error('a preview makes no calls')),
  });
  try {
    return { target: destination.target, preview: destination.preview?.(item), error: undefined };
  } catch (error) {
    if (!(error instanceof TemplateRenderError)) throw error;
    return { target: destination.target, preview: undefined, error: error.message };
  } finally {
    await destination.close?.();
  }
}

function itemFor(config: Config, { event, body }: ChosenEvent, payload: Payload, destination: string): Item {
  return {
    event,
    payload,
    body,
    identity: { destination, subject: payload.interview.id, generation: 1 },
    receipt: undefined,
    view: interviewView(payload, config.timezone),
  };
}
