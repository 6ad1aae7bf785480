import { type CheckFinding, clip } from 'versive-relay/connector';
import { columnName, inTab } from './a1.ts';
import type { SheetsClient, TabProperties } from './client.ts';
import { TabProblem } from './errors.ts';

/** Where the columns are; counted from 0. */
export interface Layout {
  gid: number;
  /** By name. */
  positions: Map<string, number>;
  /** The first column of the sheet that has a name, of whomever: where the table begins. */
  first: number;
  /** The last column of ours. */
  last: number;
}

/**
 * The tab and its header. The header is a contract: the relay finds its columns by their names and never moves, renames
 * or overwrites one. Every batch reads it anew, since a person may have inserted a column since the last.
 */
export class TrackerTab {
  readonly #client: SheetsClient;
  readonly #title: string;
  readonly #names: string[];
  /** Known while the tab is there. */
  #tab: TabProperties | undefined;

  constructor(client: SheetsClient, title: string, names: string[]) {
    this.#client = client;
    this.#title = title;
    this.#names = names;
  }

  /**
   * Finds the columns; makes the tab and its header when they are missing.
   * @throws TabProblem when the header is not as the config needs it
   */
  async open(): Promise<Layout> {
    let tab = this.#tab;
    let header = tab && (await this.#readHeader(tab));
    if (tab === undefined || header === undefined) {
      // 26 columns are what a tab has that a person adds.
      tab = (await this.#find()) ?? (await this.#client.addTab(this.#title, Math.max(26, this.#names.length)));
      header = (await this.#readHeader(tab)) ?? [];
      this.#tab = tab;
    }
    if (header.length > 0) return judgeHeader(tab, header, this.#names);
    await this.#assertEmpty(tab);
    await this.#client.writeHeader(tab, this.#names);
    return judgeHeader(tab, this.#names, this.#names);
  }

  /** What `open` would stumble on; makes nothing. */
  async inspect(): Promise<void> {
    const tab = await this.#find();
    if (tab === undefined) return;
    const header = (await this.#readHeader(tab)) ?? [];
    if (header.length > 0) judgeHeader(tab, header, this.#names);
    else await this.#assertEmpty(tab);
  }

  /** The rows of the tab, counted from 1, by the text in their key column. */
  async rowsByKey(layout: Layout, key: string): Promise<Map<string, number[]>> {
    const column = columnName(layout.positions.get(key) ?? 0);
    const rows = new Map<string, number[]>();
    const cells = await this.#client.read(inTab(this.#title, `${column}:${column}`));
    for (const [index, [value = '']] of cells.entries()) {
      const text = String(value);
      if (index > 0 && text !== '') rows.set(text, [...(rows.get(text) ?? []), index + 1]);
    }
    return rows;
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
        fix: `Put the names of the columns into row 1: ${this.#names.join(', ')}. Or name another tab.`,
      },
    ]);
  }
}

/** @throws TabProblem when a column is missing or there twice */
function judgeHeader(tab: TabProperties, header: string[], names: string[]): Layout {
  const found = names.map((name) => {
    const places = header.flatMap((one, index) => (one === name ? [index] : []));
    return { name, places, quoted: `"${name}"` };
  });
  const missing = found.filter(({ places }) => places.length === 0).map(({ quoted }) => quoted);
  const findings = found.flatMap(({ places, quoted }): CheckFinding[] => {
    if (places.length < 2) return [];
    const columns = places.map(columnName).join(' and ');
    const message = `The tab "${tab.title}" has more than one column ${quoted}: ${columns}.`;
    return [{ level: 'error', message, fix: `Rename all but one of the columns ${quoted} in row 1 of the tab.` }];
  });
  if (missing.length > 0) {
    const others = header.filter((name) => name !== '').join(', ');
    const columns = missing.length === 1 ? 'column' : 'columns';
    findings.push({
      level: 'error',
      message: `The tab "${tab.title}" has no ${columns} ${missing.join(', ')}. Row 1 has: ${clip(others, 500)}.`,
      fix: `Write ${missing.join(', ')} into free cells of row 1, wherever you like, or list under \`columns:\` only what the tab has.`,
    });
  }
  if (findings.length > 0) throw new TabProblem(findings);
  const positions = new Map(found.map(({ name, places: [place = 0] }) => [name, place]));
  const first = header.findIndex((name) => name !== '');
  return { gid: tab.gid, positions, first, last: Math.max(...positions.values()) };
}
