import path from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Config, DestinationConfig } from '../config/config.ts';
import { openDestination } from '../config/open.ts';
import { scrubber } from '../config/secrets.ts';
import type { Item } from '../connector.ts';
import { EXIT, RelayError } from '../errors.ts';
import type { JsonValue } from '../model.ts';
import { renderItem } from '../render/item.ts';
import { TemplateRenderError } from '../render/template.ts';
import { decide } from '../route/decide.ts';
import { readEvent, sourceOption } from './chosen-event.ts';
import { readConfig } from './common.ts';
import { named } from './names.ts';
import { configOption, jsonOption } from './options.ts';
import { plain } from './words.ts';

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
      const { event, body, judged, source } = await readEvent(config, argument, options.source);
      if (judged.payload === undefined) {
        const why = `the event would be kept as quarantined (${plain(judged.reason ?? '')})`;
        throw new RelayError('RELAY_NOT_FOUND', `nothing would be sent: ${why}`, {
          fix: 'A payload is what Versive documents: event_type, interview.id and study.id at least.',
        });
      }
      const names = options.to === undefined ? decide(judged, source, config.table).destinations : [options.to];
      if (names.length === 0) process.stderr.write('No route takes this event: nothing would be sent.\n');
      for (const name of names) {
        const identity = { destination: name, subject: judged.payload.interview.id, generation: 1 };
        const item = renderItem({ event, body, identity, receipt: undefined, earlier: [] }, config.timezone);
        await show(config, item, options.json === true);
      }
    });
}

/** Prints one destination's preview. A template that fails is told in its place, and makes the verb's answer no. */
async function show(config: Config, item: Item, json: boolean): Promise<void> {
  const name = item.identity.destination;
  const destination = named('destination', name, config.destinations);
  const { target, preview, error } = await previewAt(config, destination, item);
  if (error !== undefined) process.exitCode = EXIT.no;
  const scrub = scrubber(config.secrets);
  const stream = process.stdout;
  if (json) {
    stream.write(
      `${scrub(JSON.stringify({ destination: name, preview: preview ?? null, ...(error && { error }) }))}\n`,
    );
    return;
  }
  stream.write(`${styleText('bold', name, { stream })} ${styleText('dim', plain(target), { stream })}\n`);
  if (error !== undefined) {
    stream.write(`${styleText('red', `It would be rejected: ${plain(scrub(error))}`, { stream })}\n\n`);
  } else if (preview === undefined) stream.write('Its connector cannot show what it would send.\n\n');
  else {
    // JSON keeps control characters above ASCII, and those that turn the direction, as they are.
    const lines = scrub(JSON.stringify(preview, undefined, 2))
      .split('\n')
      .map(plain);
    stream.write(`${lines.join('\n')}\n\n`);
  }
}

interface Preview {
  target: string;
  preview: JsonValue | undefined;
  /** Why the template could not be rendered. */
  error: string | undefined;
}

/** Opens a destination, has it show what it would send, and closes it again. Makes no call. */
export async function previewAt(config: Config, destination: DestinationConfig, item: Item): Promise<Preview> {
  const opened = openDestination(destination, { folder: path.dirname(config.file), timezone: config.timezone });
  try {
    return { target: opened.target, preview: opened.preview?.(item), error: undefined };
  } catch (error) {
    if (!(error instanceof TemplateRenderError)) throw error;
    return { target: opened.target, preview: undefined, error: error.message };
  } finally {
    await opened.close?.();
  }
}
