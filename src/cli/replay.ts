import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { Addition } from '../store/store.ts';
import { readConfig } from './common.ts';
import { named } from './names.ts';
import { agreed, printProposal } from './proposal.ts';
import {
  addRecoveryOptions,
  checkChoice,
  inSteps,
  missed,
  recover,
  refuseAbsent,
  report,
  whatComes,
} from './recovery.ts';
import { toOne, whereTheyWent } from './replay-again.ts';
import { DELIVERY_STATES, EVENT_STATES } from './replay-choice.ts';
import type { Draft, Replay, ReplayOptions } from './replay-draft.ts';
import { reroute } from './reroute.ts';
import { count } from './words.ts';

/** `replay [ids...]`: stored events run again. */
export function replayCommand(): Command {
  const command = new Command('replay')
    .description("run stored events again: where they went, to one destination, or through today's routes")
    .argument('[ids...]', 'events, such as e12 e13')
    .option('--to <destination>', 'to this destination only, whether or not they went there before')
    .option('--reroute', "through today's routes: makes the deliveries that are missing, and leaves the others alone")
    .option('--new', 'post anew, where otherwise what is there already is updated in place');
  return addRecoveryOptions(command, [...DELIVERY_STATES, ...EVENT_STATES])
    .addHelpText(
      'after',
      `
It says how many deliveries that makes and where, and asks before it goes on. Works with the relay running or stopped.

Without --to and --reroute, every delivery that the events have comes back, whatever became of it. Filters choose events;
--state takes a state of events (unrouted, quarantined, …) or one of deliveries (failed, held, …). Deliveries are
also narrowed by --destination; with --to or --reroute, these two choose the events that have such a delivery.
--new posts only the newest of several events of one interview. Where a destination cannot update (a webhook), it gets
the same webhook-id again, and with --new another one. An event that is older than what stands there changes nothing.

With --json: {"destination", "deliveries"} for each destination, then {"replayed", "made"}.

Examples:
  $ versive-relay replay e12                                   to where it went before
  $ versive-relay replay --destination tracker --since 2h      all that went there since
  $ versive-relay replay --to library --study study_123        a backfill of one destination
  $ versive-relay replay --reroute --since 30d --dry-run       what a new route would make
  $ versive-relay replay --reroute --state quarantined         what the relay may understand by now`,
    )
    .action(async (ids: string[], options: ReplayOptions) => {
      checkChoice(ids, options, 'Give ids such as e12, or a filter: at least `--since`, such as `--since 7d`.');
      const config = await openConfig(options);
      const basics = { store: config.store, timezone: config.timezone, config };
      await recover<ReplayOptions>({ basics, ids, options }, (recovery) => replay(recovery, config));
    });
}

/** Routes and destinations must be known: a config with errors is refused. */
async function openConfig({ config: file, to }: ReplayOptions): Promise<Config> {
  const config = await readConfig(file);
  if (to !== undefined) named('destination', to, config.destinations);
  return config;
}

async function replay(recovery: Replay, config: Config): Promise<void> {
  const { store, holds, options } = recovery;
  const draft = await draftOf(recovery, config);
  const { concerned, judged } = draft;
  refuseAbsent(concerned, recovery, 'Or send to one destination only, with --to.');
  printProposal({ title: titleOf(options), ...draft }, holds, options.json === true);
  // That other routes take an event today is noted beside what is made of it; alone it is no work to ask for.
  const isIdle = concerned.length === 0 && judged.values().every(({ state }) => state === 'routed');
  if (isIdle && (judged.size === 0 || !options.yes)) {
    const events = count(judged.size, 'event');
    const more = judged.size === 0 ? '' : ` With --yes, the routes that take ${events} today are noted.`;
    return report([{ text: `There is nothing to do.${more}` }], { replayed: 0, made: 0 }, options);
  }
  if (!(await agreed(options))) return;
  const renew = options.new === true;
  const again = concerned.flatMap(({ id }) => id ?? []);
  const replayed = await inSteps(again, 'deliveries', (some) => store.replay(some, { renew }));
  const made = await inSteps(additionsOf(draft, renew), 'events', (some) => store.add(some));
  const lines = [
    ...(concerned.length === 0 ? [`${count(judged.size, 'event is', 'events are')} noted as routed today.`] : []),
    ...(again.length > 0 ? [`${count(replayed, 'delivery is', 'deliveries are')} due again.`] : []),
    ...(again.length < concerned.length
      ? [`${count(made, 'delivery was', 'deliveries were')} made, due at once.`]
      : []),
  ];
  const done = `${lines.join(' ')}${missed(concerned.length - replayed - made)}`;
  report([{ text: done, style: 'green' }, ...whatComes(concerned, recovery)], { replayed, made }, options);
}

function draftOf(recovery: Replay, config: Config): Promise<Draft> {
  const { to, reroute: reroutes } = recovery.options;
  if (reroutes) return reroute(recovery, config);
  return to === undefined ? whereTheyWent(recovery) : toOne(to, recovery);
}

function titleOf({ to, reroute: reroutes }: ReplayOptions): string {
  if (reroutes) return `Replay through today's routes${to === undefined ? '' : `, to ${to} only`}`;
  return to === undefined ? 'Replay to where they went before' : `Replay to ${to}`;
}

/** What the store is to make: the deliveries of each event that are not there yet, and what is thought of it now. */
function additionsOf({ concerned, judged }: Draft, renew: boolean): Addition[] {
  const missing = Map.groupBy(
    concerned.filter(({ id }) => id === undefined),
    ({ event }) => event,
  );
  return [...new Set([...missing.keys(), ...judged.keys()])].map((event) => {
    const judgement = judged.get(event);
    const destinations = (missing.get(event) ?? []).map(({ destination }) => destination);
    return { event, destinations, renew, ...(judgement && { judged: judgement }) };
  });
}
