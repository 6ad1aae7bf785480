import { columnName, inTab } from './a1.ts';
import type { SheetsClient, TabProperties } from './client.ts';
import { TabProblem } from './errors.ts';
import { KnownRows } from './known-rows.ts';
import { type ColumnNames, type Layout, layoutOf } from './layout.ts';

/**
 * The tab and its header. The header is a contract: the relay finds its columns by their names and never moves, renames
 * or overwrites one. Every batch reads it anew, since a person may have inserted a column since the last.
 */
export class TrackerTab {
  readonly #client: SheetsClient;
  readonly #title: string;
  readonly #columns: ColumnNames;
  /** Known while the tab is there. */
  #tab: TabProperties | undefined;

  constructor(client: SheetsClient, title: string, columns: ColumnNames) {
    this.#client = client;
    this.#title = title;
    this.#columns = columns;
  }

  /**
   * Finds the columns; makes the tab and its header when they are missing.
   * @throws TabProblem when the header is not as the config needs it
   */
  async open(): Promise<Layout> {
    const there = await this.look();
    if (there !== undefined) return there;
    const { names } = this.#columns;
    // 26 columns are what a tab has that a person adds.
    const tab = this.#tab ?? (await this.#client.addTab(this.#title, Math.max(26, names.length)));
    this.#tab = tab;
    await this.#client.writeHeader(tab, names);
    return layoutOf(tab, names, this.#columns);
  }

  /**
   * Finds the columns, and makes nothing.
   * @returns undefined when there is no such tab, or nothing in it
   * @throws TabProblem as `open` would
   */
  async look(): Promise<Layout | undefined> {
    let tab = this.#tab;
    let header = tab && (await this.#readHeader(tab));
    if (header === undefined) {
      tab = await this.#find();
      header = tab && (await this.#readHeader(tab));
      this.#tab = tab;
    }
    if (tab === undefined || header === undefined) return undefined;
    if (header.length > 0) return layoutOf(tab, header, this.#columns);
    await this.#assertEmpty(tab);
    return undefined;
  }

  /** The rows that are there, by one read. */
  async rows(layout: Layout): Promise<KnownRows> {
    const [first, last] = KnownRows.columnsToRead(layout).map(columnName);
    return new KnownRows(await this.#client.read(inTab(this.#title, `${first}:${last}`)), layout);
  }

  async #find(): Promise<TabProperties | undefined> {
    const tabs = await this.#client.tabs();
    const title = this.#title.toLowerCase();
    // Sheets tells names of tabs apart without regard to case, so that there is one at most.
    return tabs.find((tab) => tab.title.toLowerCase() === title);
  }

  /** The names in row 1, trimmed; undefined when the tab is gone. */
  async #readHeader(tab: TabProperties): Promise<string[] | undefined> {
    try {
      const [header = []] = await this.#client.read(inTab(tab.title, '1:1'));
      return header.map((name) => String(name).trim());
    } catch (error) {
      const { status, message } = error as { status?: number; message?: string };
      if (status === 400 && /Unable to parse range/.test(message ?? '')) return undefined;
      throw error;
    }
  }

  async #assertEmpty(tab: TabProperties): Promise<void> {
    const rows = await this.#client.read(inTab(tab.title));
    if (rows.length === 0) return;
    throw new TabProblem([
      {
        level: 'error',
        message: `Row 1 of the tab "${tab.title}" is empty, but rows below it are not.`,
        fix: `Put the names of the columns into row 1: ${this.#columns.names.join(', ')}. Or name another tab.`,
      },
    ]);
  }
}
