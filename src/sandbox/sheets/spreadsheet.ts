import { setTimeout as sleep } from 'node:timers/promises';
import { type GoogleRefusal, invalid } from './errors.ts';
import { type Box, columnName, parseRange, printRange, sameTitle } from './range.ts';
import { type CellValue, Tab, type ValueInputOption, type ValueRenderOption } from './tab.ts';

/** Cells of all tabs of a spreadsheet (support.google.com/drive/answer/37603). */
const MOST_CELLS = 10_000_000;
/** Characters of a tab's name. */
const MOST_TITLE = 100;

export interface Append {
  range: string;
  values: unknown[][];
  input: ValueInputOption;
  insert: 'OVERWRITE' | 'INSERT_ROWS';
  echo: boolean;
}

type Json = Record<string, unknown>;

/** A spreadsheet and what can be done to it; every method answers as the API does, or throws a GoogleRefusal. */
export class Spreadsheet {
  readonly id: string;
  readonly title: string;
  readonly tabs: Tab[] = [new Tab({ id: 0, title: 'Sheet1' })];
  /** E-mails that may write … */
  readonly editors = new Set<string>();
  /** … and that may only read. */
  readonly viewers = new Set<string>();
  /** An Excel file that was only uploaded: Drive shows it like a sheet, and the API refuses it. */
  isOfficeFile = false;
  /**
   * Milliseconds between finding the end of a table and writing there: overlapping appends overwrite each other. 0 for one
   * after the other.
   */
  appendRace = 0;

  constructor(id: string, title: string) {
    this.id = id;
    this.title = title;
  }

  describe(): object {
    return {
      spreadsheetId: this.id,
      properties: { title: this.title, locale: 'en_US', timeZone: 'Etc/UTC' },
      sheets: this.tabs.map((tab, index) => ({ properties: propertiesOf(tab, index) })),
      spreadsheetUrl: `https://docs.google.com/spreadsheets/d/${this.id}/edit`,
    };
  }

  read(range: string, render: ValueRenderOption, major: 'ROWS' | 'COLUMNS'): object {
    const { tab, box } = this.#locate(range);
    const rows = tab.read(box, render);
    const values = major === 'COLUMNS' ? transposed(rows) : rows;
    return {
      range: printRange(tab.title, tab.within(box)),
      majorDimension: major,
      ...(values.length > 0 && { values }),
    };
  }

  /** Writes all ranges or none. */
  update(data: { range: string; values: unknown[][] }[], input: ValueInputOption): object[] {
    const planned = data.map(({ range, values }) => {
      const { tab, box: asked } = this.#locate(range);
      const width = widthOf(values);
      const box = {
        ...asked,
        bottom: asked.top + Math.max(values.length, 1) - 1,
        right: asked.left + Math.max(width, 1) - 1,
      };
      // One cell is where the values begin; a larger range is also where they must end.
      const isCell = asked.top === asked.bottom && asked.left === asked.right;
      const limit = tab.within(isCell ? box : asked);
      if (box.bottom > limit.bottom || box.right > limit.right) {
        const beyond =
          box.bottom > limit.bottom ? `row [${limit.bottom + 2}]` : `column [${columnName(limit.right + 1)}]`;
        throw invalid(
          `Requested writing within range [${printRange(tab.title, limit)}], but tried writing to ${beyond}`,
        );
      }
      rehearse(values, input);
      return { tab, box, values, width };
    });
    return planned.map(({ tab, box, values, width }) => ({
      spreadsheetId: this.id,
      updatedRange: printRange(tab.title, box),
      updatedRows: values.length,
      updatedColumns: width,
      updatedCells: tab.write(box.top, box.left, values, input),
    }));
  }

  async append({ range, values, input, insert, echo }: Append): Promise<object> {
    const { tab, box } = this.#locate(range);
    const table = tab.findTable(tab.within(box));
    const top = table ? table.bottom + 1 : box.top;
    const left = table ? table.left : box.left;
    const written = { top, left, bottom: top + values.length - 1, right: left + widthOf(values) - 1 };
    rehearse(values, input);
    const added = insert === 'INSERT_ROWS' ? values.length : Math.max(0, written.bottom + 1 - tab.rowCount);
    if (this.#cellCount() + added * tab.columnCount > MOST_CELLS) throw tooManyCells();
    if (this.appendRace > 0) await sleep(this.appendRace);
    else if (insert === 'INSERT_ROWS') tab.insertRows(top, values.length);
    tab.grow(written.bottom + 1, written.right + 1);
    const updatedCells = tab.write(top, left, values, input);
    const updatedRange = printRange(tab.title, written);
    const updatedData = { range: updatedRange, majorDimension: 'ROWS', values: tab.read(written, 'FORMATTED_VALUE') };
    return {
      spreadsheetId: this.id,
      ...(table && { tableRange: printRange(tab.title, table) }),
      updates: {
        spreadsheetId: this.id,
        updatedRange,
        updatedRows: values.length,
        updatedColumns: widthOf(values),
        updatedCells,
        ...(echo && { updatedData }),
      },
    };
  }

  /** Of the many requests of the API the two that a relay needs. */
  batchUpdate(requests: Json[]): object {
    if (requests.length === 0) throw invalid('Must specify at least one request.');
    const replies = requests.map((request, index) => {
      const [kind = '', options = {}] = Object.entries(request)[0] ?? [];
      if (kind === 'addSheet') return { addSheet: { properties: this.#addSheet(options as Json, index) } };
      if (kind === 'appendDimension') return this.#appendDimension(options as Json, index);
      throw invalid(
        `Invalid JSON payload received. Unknown name "${kind}" at 'requests[${index}]': Cannot find field.`,
      );
    });
    return { spreadsheetId: this.id, replies };
  }

  #addSheet(options: Json, index: number): object {
    const properties = (options.properties ?? {}) as { title?: string; sheetId?: number; gridProperties?: Json };
    const title = properties.title ?? `Sheet${this.tabs.length + 1}`;
    const refuse = (why: string) => invalid(`Invalid requests[${index}].addSheet: ${why}`);
    if (title === '' || title.length > MOST_TITLE)
      throw refuse(`The sheet name must be 1 to ${MOST_TITLE} characters.`);
    if (this.tabs.some((tab) => sameTitle(tab.title, title))) {
      throw refuse(`A sheet with the name "${title}" already exists. Please enter another name.`);
    }
    const size = Object.entries(properties.gridProperties ?? {}).filter(([, value]) => typeof value === 'number');
    const id = properties.sheetId ?? 1_000_000 + this.tabs.length;
    const tab = new Tab({ id, title, ...Object.fromEntries(size) });
    if (tab.frozenRowCount >= tab.rowCount) throw refuse("You can't freeze all rows on the sheet.");
    if (this.#cellCount() + tab.rowCount * tab.columnCount > MOST_CELLS) throw tooManyCells();
    this.tabs.push(tab);
    return propertiesOf(tab, this.tabs.length - 1);
  }

  #appendDimension({ sheetId, dimension, length }: Json, index: number): object {
    const tab = this.tabs.find(({ id }) => id === sheetId);
    const refuse = (why: string) => invalid(`Invalid requests[${index}].appendDimension: ${why}`);
    if (!tab) throw refuse(`No grid with id: ${sheetId}`);
    if (typeof length !== 'number' || length < 1) throw refuse('The length must be positive.');
    const [rows, columns] = dimension === 'ROWS' ? [length, 0] : [0, length];
    tab.grow(tab.rowCount + rows, tab.columnCount + columns);
    return {};
  }

  #locate(range: string): { tab: Tab; box: Box } {
    const titles = this.tabs.map((tab) => tab.title);
    const { title, box } = parseRange(range, titles);
    const tab = this.tabs.find((one) => title === undefined || sameTitle(one.title, title));
    if (!tab) throw invalid(`Unable to parse range: ${range}`);
    return { tab, box };
  }

  #cellCount(): number {
    return this.tabs.reduce((sum, tab) => sum + tab.rowCount * tab.columnCount, 0);
  }
}

function propertiesOf(tab: Tab, index: number): object {
  const { rowCount, columnCount, frozenRowCount } = tab;
  const gridProperties = { rowCount, columnCount, ...(frozenRowCount > 0 && { frozenRowCount }) };
  return { sheetId: tab.id, title: tab.title, index, sheetType: 'GRID', gridProperties };
}

/** Throws what writing the values would throw, and writes nothing. */
function rehearse(values: unknown[][], input: ValueInputOption): void {
  new Tab({ id: 0, title: '' }).write(0, 0, values, input);
}

function widthOf(values: unknown[][]): number {
  return Math.max(0, ...values.map((row) => row.length));
}

function transposed(rows: CellValue[][]): CellValue[][] {
  return Array.from({ length: widthOf(rows) }, (_, c) => {
    const column = rows.map((row) => row[c] ?? '');
    return column.slice(0, column.findLastIndex((value) => value !== '') + 1);
  });
}

function tooManyCells(): GoogleRefusal {
  return invalid(
    `This action would increase the number of cells in the workbook above the limit of ${MOST_CELLS} cells.`,
  );
}
