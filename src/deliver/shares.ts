import type { Log } from '../connector.ts';
import type { Serving } from '../store/store.ts';

/** Milliseconds between two looks at who serves what. */
const LOOK = 1_000;
/** Looks in between after which a process with its full part tries for lanes that nobody may have taken. */
const PATIENCE = 3;

/** A lane, and what it must not share with a lane of another process: limit keys, and the key of its serial order. */
export interface Member {
  name: string;
  keys: readonly string[];
}

export interface SharesParts {
  serving: Serving;
  /** The lanes of the config. */
  members: () => Member[];
  /** These are ours from now on. */
  begin: (lanes: string[]) => Promise<void>;
  /** Ends what is under way there, so that others may have them. */
  end: (lanes: string[]) => Promise<void>;
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
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: SharesParts) {
    this.#parts = parts;
    parts.serving.lost(() => {
      const lost = [...this.#ours];
      this.#ours.clear();
      void this.#next(() => parts.end(lost));
    });
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
    return this.#next(() => this.#look());
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

  /** One change at a time. */
  #next(change: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(async () => {
      try {
        if (!this.#closed) await change();
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.#parts.log.warn({ step: 'lanes.unshared', error: text }, 'which lanes are ours could not be settled');
      }
    });
    return this.#last;
  }

  async #look(): Promise<void> {
    const groups = groupsOf(this.#parts.members());
    const own = groups.filter((group) => group.some(({ name }) => this.#ours.has(name)));
    const { processes, place, lacking } = await this.#parts.serving.share(this.#lacks);
    const part = Math.floor(groups.length / processes) + (place < groups.length % processes ? 1 : 0);
    if (lacking && own.length > part) {
      const surplus = own.slice(part).flat();
      await this.#part(surplus.map(({ name }) => name).filter((name) => this.has(name)));
      return;
    }
    // Each begins elsewhere, so that two do not run after the same lanes.
    const start = Math.floor((groups.length * place) / processes);
    const others = [...groups.slice(start), ...groups.slice(0, start)].filter((group) => !own.includes(group));
    this.#looks += 1;
    const leftOver = !lacking && this.#looks % PATIENCE === 0;
    let room = leftOver ? others.length : part - own.length;
    const taken: string[] = [];
    for (const group of own) taken.push(...(await this.#take(group)));
    for (const group of others) {
      if (room <= 0) break;
      const some = await this.#take(group);
      if (some.length > 0) room -= 1;
      taken.push(...some);
    }
    const lacks = leftOver ? 0 : Math.max(0, room);
    // The others hear of it at once.
    if (lacks !== this.#lacks) await this.#parts.serving.share(lacks);
    this.#lacks = lacks;
    this.#hasOthers ||= processes > 1;
    if (taken.length > 0) await this.#begin(taken);
  }

  async #begin(lanes: string[]): Promise<void> {
    const { begin, log } = this.#parts;
    if (this.#hasOthers) log.info({ step: 'lanes.taken', lanes }, 'lanes taken: this relay serves them now');
    try {
      await begin(lanes);
    } catch (error) {
      await this.#part(lanes);
      throw error;
    }
  }

  async #part(lanes: string[]): Promise<void> {
    const { end, log } = this.#parts;
    await end(lanes);
    await this.give(lanes);
    log.info({ step: 'lanes.given', lanes }, 'lanes given to another relay');
  }

  /** What of the group was free; none when its first lane was not. */
  async #take(group: Member[]): Promise<string[]> {
    const taken: string[] = [];
    for (const { name, keys } of group) {
      if (this.#ours.has(name)) continue;
      if (!(await this.#parts.serving.take(name, keys))) break;
      this.#ours.add(name);
      taken.push(name);
    }
    return taken;
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
