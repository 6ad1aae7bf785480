import type { Log } from '../connector.ts';
import type { Serving } from '../store/store.ts';

/** Milliseconds between two looks at who serves what. */
const LOOK = 1_000;
/** Looks in between after which a process with its full part tries for lanes that nobody may have taken. */
const PATIENCE = 3;
/** Milliseconds until what still cannot be settled is told again. */
const SILENT = 60_000;
/** Looks between two times that a process looks after what is nobody's. */
const TIDY = 10;

/** A lane, and what it must not share with a lane of another process: limit keys, and the key of its serial order. */
export interface Member {
  name: string;
  keys: readonly string[];
}

export interface SharesParts {
  serving: Serving;
  /** The lanes of the config. */
  members: () => Member[];
  /** Whether the lane runs here, or is still ending. */
  runs: (lane: string) => boolean;
  /** Runs these, which are ours; called again for those that it left. */
  begin: (lanes: string[]) => Promise<void>;
  /** Ends what is under way there, so that others may have them. */
  end: (lanes: string[]) => Promise<void>;
  /** Now and then, beside other processes: looks after what is nobody's. */
  tidy: () => Promise<void>;
  log: Log;
}

/**
 * Which lanes this process serves. The processes of one store have about as many groups each, a group being the lanes that
 * share a key: they keep their service's pace only together. Who has too many gives some away when another lacks them.
 */
export class Shares {
  readonly #parts: SharesParts;
  readonly #ours = new Set<string>();
  #looks = 0;
  #lacks = 0;
  /** Or had: who is alone has all lanes, which nobody needs to be told. */
  #hasOthers = false;
  /** How often the connection that made lanes ours broke. */
  #losses = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** A look that has not begun. */
  #queued: Promise<void> | undefined;
  #closed = false;
  /** What was told since the last look that settled it, and when. */
  #told: { text: string; at: number } | undefined;

  constructor(parts: SharesParts) {
    this.#parts = parts;
    parts.serving.lost(() => {
      const lost = [...this.#ours];
      this.#ours.clear();
      this.#losses += 1;
      this.alone(() => parts.end(lost)).catch((error: unknown) => this.#warn(error));
    });
  }

  /** Whether other processes serve the store, or did. */
  get hasOthers(): boolean {
    return this.#hasOthers;
  }

  has(lane: string): boolean {
    return this.#ours.has(lane);
  }

  /** Looks once, and from then on every second. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.look(), LOOK);
    await this.look();
  }

  /** Takes what is free and this process's part, and gives away what is more. Never throws. */
  look(): Promise<void> {
    this.#queued ??= this.alone(async () => {
      this.#queued = undefined;
      if (this.#closed) return;
      await this.#look();
      this.#told = undefined;
    }).catch((error: unknown) => this.#warn(error));
    return this.#queued;
  }

  /** Makes a change of lanes while none is taken, given or lost. @throws what the change throws */
  alone<T>(change: () => Promise<T>): Promise<T> {
    const made = this.#last.then(change);
    this.#last = made.catch(() => {});
    return made;
  }

  /** Lets others have lanes that have ended here. */
  async give(lanes: Iterable<string>): Promise<void> {
    for (const lane of lanes) {
      if (this.#ours.delete(lane)) await this.#parts.serving.give(lane);
    }
  }

  /** Takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#last;
  }

  #warn(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const now = performance.now();
    if (this.#told?.text === text && now - this.#told.at < SILENT) return;
    this.#told = { text, at: now };
    this.#parts.log.warn({ step: 'lanes.unshared', error: text }, 'which lanes are ours could not be settled');
  }

  async #look(): Promise<void> {
    const losses = this.#losses;
    const groups = groupsOf(this.#parts.members());
    const { processes, place, lacking } = await this.#parts.serving.share(this.#lacks);
    if (losses !== this.#losses) return;
    const own = groups.filter((group) => group.some(({ name }) => this.#ours.has(name)));
    const part = Math.floor(groups.length / processes) + (place < groups.length % processes ? 1 : 0);
    if (lacking && own.length > part) {
      const surplus = own.slice(part).flat();
      await this.#part(surplus.map(({ name }) => name).filter((name) => this.has(name)));
      return;
    }
    this.#hasOthers ||= processes > 1;
    this.#looks += 1;
    // Each begins elsewhere, so that two do not run after the same lanes.
    const start = Math.floor((groups.length * place) / processes);
    const others = [...groups.slice(start), ...groups.slice(0, start)].filter((group) => !own.includes(group));
    const leftOver = !lacking && this.#looks % PATIENCE === 0;
    let room = leftOver ? others.length : part - own.length;
    try {
      for (const group of own) await this.#take(group);
      for (const group of others) {
        if (room <= 0) break;
        if (await this.#take(group)) room -= 1;
      }
    } finally {
      await this.#begin();
    }
    await this.#tell(leftOver ? 0 : Math.max(0, room));
    if (this.#hasOthers && this.#looks % TIDY === 0) await this.#parts.tidy();
  }

  /** Runs what is ours and does not run yet. */
  async #begin(): Promise<void> {
    const { begin, runs, log } = this.#parts;
    const lanes = [...this.#ours].filter((lane) => !runs(lane));
    if (lanes.length === 0) return;
    if (this.#hasOthers) log.info({ step: 'lanes.taken', lanes }, 'lanes taken: this relay serves them now');
    await begin(lanes);
  }

  /** The others hear at once of what this process lacks. */
  async #tell(lacks: number): Promise<void> {
    if (lacks === this.#lacks) return;
    this.#lacks = lacks;
    await this.#parts.serving.share(lacks);
  }

  async #part(lanes: string[]): Promise<void> {
    const { end, log } = this.#parts;
    await end(lanes);
    await this.give(lanes);
    log.info({ step: 'lanes.given', lanes }, 'lanes given to another relay');
  }

  /** Takes what of the group is free, in its order; whether that was any. */
  async #take(group: Member[]): Promise<boolean> {
    let isAny = false;
    for (const { name, keys } of group) {
      if (this.#ours.has(name)) continue;
      // Lost just now, and still ending.
      if (this.#parts.runs(name)) break;
      const losses = this.#losses;
      if (!(await this.#parts.serving.take(name, keys)) || losses !== this.#losses) break;
      this.#ours.add(name);
      isAny = true;
    }
    return isAny;
  }
}

/** Lanes with a key in common, directly or by way of others, are one group. In the order of the config. */
function groupsOf(members: Member[]): Member[][] {
  const groups: Member[][] = [];
  for (const member of members) {
    const touched = groups.filter((group) => group.some(({ keys }) => keys.some((key) => member.keys.includes(key))));
    const [first = groups[groups.push([]) - 1] as Member[], ...rest] = touched;
    for (const group of rest) {
      groups.splice(groups.indexOf(group), 1);
      first.push(...group);
    }
    first.push(member);
  }
  return groups;
}
