import Fastify from 'fastify';
import { type FaultKind, Faults } from '../../src/sandbox/faults.ts';
import { type NotionPage, plainText } from '../../src/sandbox/notion/workspace.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { configText } from '../support/relay.ts';
import type { Dice } from './dice.ts';
import { participantOf, type Sent, subjectOf, wordsOf } from './interviews.ts';

const CHANNEL = 'C0123456789';
const TAB = 'Interviews';
const KEY = 'Interview ID';

/** Milliseconds of a call, and after it, in which a write may land. */
const TIMEOUT = 1_000;
const SETTLES = 3_000;

/** What of everything that was acknowledged is not there, or is there more than once, by destination. */
export interface Verdict {
  lost: Record<string, string[]>;
  doubled: Record<string, string[]>;
  /** There once, but not as it should be: old words, half a transcript. */
  wrong: Record<string, string[]>;
}

/** The services around a relay, all in the test's process, so that they outlive every kill. */
export class World {
  readonly sandbox: Sandbox;
  /** Of the webhook's endpoint. */
  readonly hookFaults: Faults;
  /** The webhook ids under which the endpoint took an event, by the participant that its body names. */
  readonly hooks = new Map<string, Set<string>>();
  /** Calls under an id that the endpoint knew already: what an unknown end, or a kill, may cost it. */
  repeats = 0;
  /** Calls in spite of a Retry-After, by service: how many milliseconds after it. */
  readonly early: { service: string; ms: number; at: number }[] = [];
  #hookUrl = '';
  readonly #hook = Fastify({ bodyLimit: 10_000_000, forceCloseConnections: true });
  readonly #dice: Dice;

  private constructor(sandbox: Sandbox, dice: Dice) {
    this.sandbox = sandbox;
    this.#dice = dice;
    // Their paces would make it hours; Retry-After is what the faults are for.
    sandbox.slack.enforcePace = false;
    sandbox.sheets.perMinute = Number.POSITIVE_INFINITY;
    sandbox.notion.callsPerMinute = Number.POSITIVE_INFINITY;
    this.hookFaults = new Faults((status) => ({ error: status }));
    this.hookFaults.install(this.#hook);
    this.#hook.post('/hook', async (request, reply) => {
      const { interview } = request.body as { interview: { vid: string } };
      const ids = this.hooks.get(interview.vid) ?? new Set();
      const id = String(request.headers['webhook-id']);
      if (ids.has(id)) this.repeats += 1;
      this.hooks.set(interview.vid, ids.add(id));
      return reply.code(204).send();
    });
    for (const [service, faults] of this.#faults()) {
      // The webhook's lane has several calls under way: those cannot know yet.
      if (service !== 'hook') {
        faults.on('early', (ms) => this.early.push({ service, ms, at: performance.now() }));
      }
    }
  }

  static async start(dice: Dice): Promise<World> {
    const world = new World(await startSandbox(), dice);
    world.#hookUrl = `${await world.#hook.listen({ host: '127.0.0.1', port: 0 })}/hook`;
    return world;
  }

  async close(): Promise<void> {
    await Promise.all([this.sandbox.close(), this.#hook.close()]);
  }

  #faults(): [string, Faults][] {
    const { slack, notion, sheets } = this.sandbox;
    return [
      ['slack', slack.faults],
      ['notion', notion.faults],
      ['sheets', sheets.faults],
      ['hook', this.hookFaults],
    ];
  }

  /** A fault for each service that the dice choose. */
  injectFaults(kinds: readonly FaultKind[]): void {
    for (const [, faults] of this.#faults()) {
      if (faults.list().length > 2) continue;
      const kind = kinds[this.#dice.below(kinds.length)];
      if (kind === undefined) continue;
      // A slow call lands after its client has given up, or was killed; never after it counts as settled.
      faults.inject({ kind, times: 1, retryAfter: 1, ms: this.#dice.roll() * (TIMEOUT + SETTLES / 3) });
    }
  }

  calm(): void {
    for (const [, faults] of this.#faults()) faults.clear();
  }

  config(): string {
    const { slack, notion, sheets } = this.sandbox.apiUrl;
    const common = `timeout: ${TIMEOUT}ms, settles: ${SETTLES}ms, pace: { calls: 1000, per: 1s }, retry: [${'500ms, '.repeat(200)}${Math.ceil(this.#dice.roll() * 1000)}s]`;
    return configText(`destinations:
  slack: { connector: slack, token: ${SLACK_TOKEN}, channel: ${CHANNEL}, api_url: "${slack}", ${common} }
  notion: { connector: notion, token: ntn_chaos, data_source: "${this.sandbox.notion.dataSource}", api_url: "${notion}", ${common} }
  sheets: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, tab: ${TAB}, api_url: "${sheets}", ${common} }
  hook: { connector: webhook, url: "${this.#hookUrl}", ${common} }
routes:
  - { name: everywhere, to: [slack, notion, sheets, hook] }
`);
  }

  /** Compares what is there with what was acknowledged: the versions of each interview, in the order of acknowledgement. */
  judge(acknowledged: Map<number, Sent[]>): Verdict {
    const verdict: Verdict = { lost: {}, doubled: {}, wrong: {} };
    const note = (kind: keyof Verdict, service: string, what: string) => {
      const known = verdict[kind][service] ?? [];
      verdict[kind][service] = [...known, what];
    };
    const { slack, notion, sheets } = this.sandbox;
    const messages = Map.groupBy(slack.messages(CHANNEL), ({ metadata }) => String(metadata?.event_payload.subject));
    const pages = Map.groupBy(notion.pages(), (page) => plainText(page.values.get(KEY)));
    const [header = [], ...rows] = sheets.tab(TAB)?.rows() ?? [];
    const byKey = Map.groupBy(rows, (row) => String(row[header.indexOf(KEY)]));
    for (const [n, versions] of acknowledged) {
      const subject = subjectOf(n);
      const last = versions.at(-1) as Sent;
      const found: Record<string, string[]> = {
        slack: (messages.get(subject) ?? []).map((message) => JSON.stringify(message.blocks)),
        notion: (pages.get(subject) ?? []).map((page) => notion.text(page)),
        sheets: (byKey.get(subject) ?? []).map((row) => JSON.stringify(row)),
      };
      for (const [service, [words, ...more]] of Object.entries(found)) {
        if (words === undefined) note('lost', service, subject);
        else if (!words.includes(participantOf(last))) note('wrong', service, `${subject} has old words`);
        if (more.length > 0) note('doubled', service, `${subject} ×${more.length + 1}`);
      }
      for (const page of pages.get(subject) ?? []) {
        const problem = this.#bodyProblem(page, last);
        if (problem !== undefined) note('wrong', 'notion', `${subject} ${problem}`);
      }
      for (const sent of versions) {
        const ids = this.hooks.get(participantOf(sent))?.size ?? 0;
        if (ids === 0) note('lost', 'hook', participantOf(sent));
        if (ids > 1) note('doubled', 'hook', `${participantOf(sent)} ×${ids}`);
      }
    }
    return verdict;
  }

  /** What is wrong with the body of a page: it must hold one of everything, and each turn once, in order. */
  #bodyProblem(page: NotionPage, sent: Sent): string | undefined {
    const { workspace } = this.sandbox.notion;
    const top = workspace.childrenOf(page);
    const kinds = Map.groupBy(top, ({ type }) => type);
    const toggles = kinds.get('heading_2') ?? [];
    if (kinds.get('callout')?.length !== 1 || toggles.length !== 1) {
      return `has ${kinds.get('callout')?.length ?? 0} callouts and ${toggles.length} transcripts`;
    }
    const said = toggles.flatMap((toggle) => this.sandbox.notion.text(toggle).match(/said-\S+?-end/g) ?? []);
    const expected = Array.from({ length: sent.turns }, (_, turn) => wordsOf(sent, turn));
    if (JSON.stringify(said) === JSON.stringify(expected)) return undefined;
    return `has ${said.length} turns, ${new Set(said).size} of them different, of ${sent.turns}`;
  }
}
