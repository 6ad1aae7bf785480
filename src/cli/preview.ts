import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { scrubber } from '../config/secrets.ts';
import type { Item } from '../connector.ts';
import { EXIT, RelayError } from '../errors.ts';
import { renderItem } from '../render/item.ts';
import { decide } from '../route/decide.ts';
import { readEvent, sourceOption } from './chosen-event.ts';
import { readConfig } from './common.ts';
import { named } from './names.ts';
import { configOption, jsonOption } from './options.ts';
import { previewAt, printDrawn } from './previewed.ts';
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
It draws what arrives, long texts clipped; --json prints all of it, as {"destination", "preview"}. Slack's Block Kit
Builder (https://app.slack.com/block-kit-builder) takes what the last example prints.

Examples:
  $ versive-relay preview e42
  $ versive-relay preview interview.json --to research-alerts
  $ versive-relay preview e42 --to research-alerts --json | jq '{blocks: .preview.blocks}'`,
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
  const { target, preview, drawn, error } = await previewAt(config, destination, item);
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
    stream.write(`${styleText('red', `It would be rejected: ${plain(scrub(error))}`, { stream })}\n`);
  } else if (preview === undefined) stream.write('Its connector cannot show what it would send.\n');
  else printDrawn(drawn, scrub, stream);
  stream.write('\n');
}
