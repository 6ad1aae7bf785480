import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_KINDS } from '../../src/sandbox/faults.ts';
import { openFolder } from '../support/folder.ts';
import { type SpawnedRelay, spawnRelay } from '../support/relay.ts';
import { runVerb } from '../support/verb.ts';
import { Dice } from './dice.ts';
import { drain } from './drain.ts';
import type { Fate } from './fate.ts';
import { subjectOf } from './interviews.ts';
import { Versive } from './versive.ts';
import { type Verdict, World } from './world.ts';

const FATE = import.meta.resolve('./fate.ts');

/** Milliseconds that a relay lives before it is killed: at least, and how much longer at most. */
const LIFE = { least: 200, more: 2500 };
/** A relay that is killed may not have kept a Retry-After yet which came so many milliseconds before. */
const COMMIT = 500;
const HOUR = 3_600_000;

export interface ChaosOptions {
  /** How often the relay is killed. */
  cycles: number;
  /** Interviews that Versive sends; some of them twice, with other words. */
  events: number;
  /** What all chances follow from; when the relay is killed follows from time, too. */
  seed?: number | undefined;
  /** Told of progress. */
  progress?: (line: string) => void;
}

export interface ChaosReport {
  /** The same throws the same dice again. */
  seed: number;
  /** What came over the relays, and how often. */
  calamities: Record<string, number>;
  /** Acknowledged events, those about an interview that came before among them. */
  events: number;
  verdict: Verdict;
  /** Calls that came in spite of a Retry-After. */
  early: { service: string; ms: number }[];
  /** Calls under a `webhook-id` that the endpoint knew already. */
  repeats: number;
  /** Deliveries that were given up because three kills in a row met them, and that the verb `retry` brought back. */
  struck: number;
  seconds: number;
  /** What the relays' logs say of an interview, life by life. */
  history: (subject: string) => string[];
}

/** Kills a relay again and again, lets its services fail in every way, and compares what they hold with what it acknowledged. */
export async function runChaos({ seed, ...options }: ChaosOptions): Promise<ChaosReport> {
  const dice = new Dice(seed);
  try {
    return await play(dice, options);
  } catch (error) {
    throw new Error(`it did not come to its end, by the seed ${dice.seed}`, { cause: error });
  }
}

async function play(dice: Dice, { cycles, events, progress = () => {} }: ChaosOptions): Promise<ChaosReport> {
  const began = performance.now();
  const world = await World.start(dice);
  const { folder, remove } = await openFolder({ 'config.yaml': world.config() });
  let relay = await spawnRelay(folder, { preload: FATE });
  try {
    const versive = new Versive(events, () => relay);
    const kills: number[] = [];
    const lives = [relay];
    let clock = 0;
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      versive.allow(Math.ceil((events * cycle) / cycles));
      clock = await torment(world, relay, { folder, versive, dice, clock });
      // Now and then it is asked to stop, and killed while it does.
      const stopped = dice.roll() < 0.2 ? relay.kill('SIGTERM') : undefined;
      if (stopped) await Promise.race([stopped, sleep(dice.roll() * 1000)]);
      await relay.kill('SIGKILL');
      kills.push(performance.now());
      if (dice.roll() < 0.1) {
        clock = anyClock(dice);
        versive.move(clock);
      }
      relay = await spawnRelay(folder, { preload: FATE, env: { RELAY_TEST_CLOCK: String(clock) } });
      lives.push(relay);
      progress(`${cycle} of ${cycles} cycles, ${versive.count} events acknowledged`);
    }
    world.calm();
    tell(relay, { clock: 0, full: false });
    versive.move(0);
    await versive.done();
    const struck = await drain(`${folder}/relay.db`, folder, progress);
    const within = (times: number[], from: number, to: number) => times.some((time) => time >= from && time <= to);
    const early = world.early.filter(({ ms, at }) => {
      const answered = at - ms;
      if (within(kills, answered, answered + COMMIT)) return false;
      // What was kept is kept by a wall clock: one that is moved before a restart says something else.
      return !(within(kills, answered, at) && within(versive.moves, answered, at));
    });
    return {
      seed: dice.seed,
      calamities: { 'kill -9': cycles },
      events: versive.count,
      verdict: world.judge(versive.acknowledged),
      early: early.map(({ service, ms }) => ({ service, ms: Math.round(ms) })),
      repeats: world.repeats,
      struck,
      history: (word) => historyOf(lives, word),
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    await relay.kill('SIGKILL');
    await world.close();
    await remove();
  }
}

function historyOf(lives: SpawnedRelay[], subject: string): string[] {
  return lives.flatMap(({ log }, life) =>
    log.all
      .filter((line) => line.subject === subject)
      .map(({ level: _level, msg: _msg, subject: _subject, ...rest }) => `life ${life}: ${JSON.stringify(rest)}`),
  );
}

/** Right, an hour early or an hour late. */
function anyClock(dice: Dice): number {
  return [-HOUR, 0, HOUR][dice.below(3)] ?? 0;
}

/** One life of the relay, with all that can happen in it. Gives how far its clock is ahead at the end, milliseconds. */
async function torment(
  world: World,
  relay: SpawnedRelay,
  { folder, versive, dice, clock: before }: { folder: string; versive: Versive; dice: Dice; clock: number },
): Promise<number> {
  const life = LIFE.least + dice.roll() * LIFE.more;
  const end = performance.now() + life;
  let clock = before;
  while (performance.now() < end) {
    const roll = dice.roll();
    if (roll < 0.55) world.injectFaults(FAULT_KINDS);
    else if (roll < 0.6) await reload(relay, folder, world);
    else if (roll < 0.7) tell(relay, { full: true });
    else if (roll < 0.8) tell(relay, { full: false });
    else if (roll < 0.87) {
      clock = anyClock(dice);
      tell(relay, { clock });
      versive.move(clock);
    } else if (roll < 0.92) await replayOne(folder, versive, dice);
    await sleep(dice.roll() * 200);
  }
  return clock;
}

function tell(relay: SpawnedRelay, fate: Fate): void {
  if (relay.child.connected) relay.child.send(fate);
}

/** Another wait, and so another config: every lane ends and begins anew. */
async function reload(relay: SpawnedRelay, folder: string, world: World): Promise<void> {
  await writeFile(`${folder}/config.yaml`, world.config());
  relay.child.kill('SIGHUP');
}

/** As an ops person does while everything burns. */
async function replayOne(folder: string, versive: Versive, dice: Dice): Promise<void> {
  const n = dice.below(versive.acknowledged.size);
  // What comes of it on a full disk does not matter: it changes what is delivered, never how often.
  await runVerb(['replay', '--interview', subjectOf(n), '--yes'], { cwd: folder });
}
