import {
  type CheckFinding,
  type Context,
  type Destination,
  defineConnector,
  type Item,
  type JsonValue,
  type Limits,
  type Outcome,
  reject,
  retry,
} from 'versive-relay/connector';
import { readCells } from './google-sheets/a1.ts';
import { SheetsClient } from './google-sheets/client.ts';
import { type Column, cellOf, columnsOf } from './google-sheets/columns.ts';
import { sheetsFindings, sheetsOutcome } from './google-sheets/errors.ts';
import { type Options, options } from './google-sheets/options.ts';
import { type Layout, TrackerTab } from './google-sheets/tab.ts';
import { BATCH, type Row, RowWriter } from './google-sheets/writer.ts';

/** Google Sheets: one row an interview. What can still double: a row whose append got no answer. */
export default defineConnector({
  name: 'google-sheets',
  description: 'Keeps one row for each interview in a Google Sheets spreadsheet.',
  options,
  open: (parsed, context) => new SheetsDestination(parsed, context),
});

class SheetsDestination implements Destination {
  readonly target: string;
  readonly limits: Limits;
  readonly #options: Options;
  readonly #columns: Map<string, Column>;
  readonly #client: SheetsClient;
  readonly #tab: TrackerTab;
  readonly #writer: RowWriter;

  constructor(parsed: Options, context: Context) {
    const { spreadsheet, tab, key, columns, credentials, access_token } = parsed;
    this.target = `google-sheets:${spreadsheet}/${tab}`;
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
    this.#tab = new TrackerTab(this.#client, tab, [...this.#columns.keys()]);
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
      await this.#tab.inspect();
    } catch (error) {
      findings.push(...sheetsFindings(error, this.#client.email));
    }
    return findings;
  }

  /** The row of an item, or why a template could not be rendered with it. */
  #render(item: Item): Row | Outcome {
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
    const byKey = await this.#tab.rowsByKey(layout, this.#options.key);
    for (const row of rows) {
      const { receipt } = row.item;
      if (receipt === undefined) continue;
      const places = byKey.get(String(receipt.key ?? row.key)) ?? [];
      const before = readCells(String(receipt.range ?? ''))?.row;
      row.at = places.find((place) => place === before) ?? places.at(-1);
    }
  }
}
