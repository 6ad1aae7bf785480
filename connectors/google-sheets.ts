import {
  absent,
  blind,
  type CheckFinding,
  type Context,
  type Destination,
  defineConnector,
  type Failure,
  found,
  type Item,
  type JsonValue,
  type Limits,
  type Outcome,
  reject,
  retry,
  type Sighting,
} from 'versive-relay/connector';
import { SheetsClient } from './google-sheets/client.ts';
import { type Column, cellOf, columnsOf } from './google-sheets/columns.ts';
import { sheetsFindings, sheetsOutcome } from './google-sheets/errors.ts';
import type { Place } from './google-sheets/known-rows.ts';
import type { Layout } from './google-sheets/layout.ts';
import { type Options, options } from './google-sheets/options.ts';
import { holdsSubject, type Row } from './google-sheets/row.ts';
import { TrackerTab } from './google-sheets/tab.ts';
import { BATCH, RowWriter } from './google-sheets/writer.ts';

/** Google Sheets: one row an interview. What can still double stands in docs/connectors.md. */
export default defineConnector({
  name: 'google-sheets',
  description: 'Keeps one row for each interview in a Google Sheets spreadsheet.',
  options,
  open: (parsed, context) => new SheetsDestination(parsed, context),
});

/** Why a row with the right key may not be the item's own, and what to do about it. */
const ANY_INTERVIEW = [
  'the key of the row does not hold the interview’s id, so that it may be the row of another interview',
  'Set the column that `key:` names to "{{ interview.id }}", and delete a row of this interview that is there twice.',
] as const;
const ANY_DELIVERY = [
  'there are rows of this interview, and people have moved or deleted some, so that the row of an earlier try cannot be told from theirs',
  'Look for the rows with this interview’s key in the tab, and delete one that is there twice.',
] as const;

class SheetsDestination implements Destination {
  readonly target: string;
  readonly limits: Limits;
  /**
   * Large sheets take long. Google itself ends a request only after 180 s (https://developers.google.com/sheets/api/limits):
   * who has seen it take that long gives the destination a longer `settles:`.
   */
  readonly settles = 30_000;
  readonly #options: Options;
  readonly #columns: Map<string, Column>;
  readonly #client: SheetsClient;
  readonly #tab: TrackerTab;
  readonly #writer: RowWriter;

  constructor(parsed: Options, context: Context) {
    const { spreadsheet, tab, key, columns, credentials, access_token } = parsed;
    // Sheets tells tabs apart without regard to case.
    this.target = `google-sheets:${spreadsheet}/${tab.toLowerCase()}`;
    this.limits = {
      key: `google-sheets:${(credentials ?? access_token)?.fingerprint()}`,
      // Google takes 60 reads and 60 writes a minute of a user: 60 calls of either kind leave some to others.
      calls: 60,
      per: 60_000,
      // Appends that overlap are said to lose rows: one writer a spreadsheet.
      serial: `google-sheets:${spreadsheet}`,
      batch: BATCH.rows,
    };
    this.#options = parsed;
    this.#columns = columnsOf(columns, key, context.timezone);
    this.#client = new SheetsClient(parsed, context);
    this.#tab = new TrackerTab(this.#client, tab, { names: [...this.#columns.keys()], key });
    this.#writer = new RowWriter(this.#client, { spreadsheet, tab }, context.log);
  }

  async deliver(item: Item): Promise<Outcome> {
    const [outcome] = await this.deliverMany([item]);
    return outcome ?? retry('bug', 'the row was not sent');
  }

  async deliverMany(items: Item[]): Promise<Outcome[]> {
    const rendered = items.map((item) => this.#render(item));
    const rows = rendered.filter((row): row is Row => !('kind' in row));
    const outcomes = rows.length === 0 ? new Map<Item, Outcome>() : await this.#write(rows);
    return rendered.map((row) =>
      'kind' in row ? row : (outcomes.get(row.item) ?? retry('bug', 'the row was not sent')),
    );
  }

  /**
   * One read of the header and one of the keys serve all items. Nothing of them is kept for `deliver`: it reads again, since
   * rows may move meanwhile.
   */
  async find(items: Item[]): Promise<Sighting[]> {
    const rendered = items.map((item) => this.#render(item));
    const rows = rendered.filter((row): row is Row => !('kind' in row));
    let layout: Layout | undefined;
    let places = new Map<Row, Place | 'unclear'>();
    try {
      layout = rows.length === 0 ? undefined : await this.#tab.look();
      if (layout !== undefined) places = (await this.#tab.rows(layout)).places(rows);
    } catch (error) {
      const outcome = sheetsOutcome(error, 'prepare', this.#client.email);
      return rendered.map((row) => ('kind' in row ? row : outcome));
    }
    return rendered.map((row) => {
      if ('kind' in row) return row;
      const place = places.get(row);
      if (layout === undefined || place === undefined) return absent();
      if (row.item.receipt === undefined && !holdsSubject(row)) return blind(...ANY_INTERVIEW);
      if (place === 'unclear') return blind(...ANY_DELIVERY);
      return found(this.#writer.receipt(place.key, place.at, layout));
    });
  }

  preview(item: Item): JsonValue {
    const row = this.#render(item);
    if ('kind' in row) return JSON.parse(JSON.stringify(row));
    return { tab: this.#options.tab, columns: Object.fromEntries(row.values) };
  }

  /**
   * Proves that the credentials work, that the spreadsheet can be read, and that the header fits. The API does not tell
   * whether the account may write: one that is only a Viewer shows with the first delivery, which halts and says so.
   */
  async check(): Promise<CheckFinding[]> {
    const findings: CheckFinding[] = [];
    const { key, columns } = this.#options;
    const source = columns?.[key]?.source;
    if (source !== undefined && !source.includes('interview.id')) {
      findings.push({
        level: 'warning',
        message: `The column "${key}" is what an interview's row is found by, but it does not hold the interview's id.`,
        fix: 'Set it to "{{ interview.id }}", or let `key:` name a column of its own.',
      });
    }
    try {
      await this.#tab.look();
    } catch (error) {
      findings.push(...sheetsFindings(error, this.#client.email));
    }
    return findings;
  }

  /** The row of an item, or why a template could not be rendered with it. */
  #render(item: Item): Row | Failure {
    try {
      const values = new Map([...this.#columns].map(([name, column]) => [name, cellOf(column(item))]));
      const { key } = this.#options;
      // A row without a key could not be found again.
      if (values.get(key) === '') values.set(key, item.identity.subject);
      return { item, key: String(values.get(key)), values };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return reject('invalid', detail, 'Correct the template under `columns:`; the event is kept.');
    }
  }

  async #write(rows: Row[]): Promise<Map<Item, Outcome>> {
    let layout: Layout;
    try {
      layout = await this.#tab.open();
      if (rows.some(({ item }) => item.receipt !== undefined)) await this.#locate(rows, layout);
    } catch (error) {
      const outcome = sheetsOutcome(error, 'prepare', this.#client.email);
      return new Map(rows.map(({ item }) => [item, outcome]));
    }
    return this.#writer.write(rows, layout);
  }

  /** Finds the rows of earlier deliveries; a person may have moved or deleted them since. */
  async #locate(rows: Row[], layout: Layout): Promise<void> {
    const delivered = rows.filter(({ item }) => item.receipt !== undefined);
    for (const [row, place] of (await this.#tab.rows(layout)).places(delivered)) {
      if (place === 'unclear') continue;
      row.at = place.at;
      row.stray = place.stray;
    }
  }
}
