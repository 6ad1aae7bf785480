import type { sheets_v4 } from 'googleapis/build/src/apis/sheets/index.js';
import type { Context, Secret } from 'versive-relay/connector';
import { columnName, inTab } from './a1.ts';
import type { Cell } from './columns.ts';
import { GOOGLE_TOKEN_URL, readServiceAccount } from './credentials.ts';

const SCOPE = 'https://www.googleapis.com/auth/spreadsheets';

/** An answer with status 200 that Google did not give, such as the page of a network's sign-in. */
export class NotFromGoogle extends Error {
  override readonly name = 'NotFromGoogle';

  constructor() {
    super('the answer is not one of the Sheets API');
  }
}

export interface TabProperties {
  gid: number;
  title: string;
  columnCount: number;
}

export interface ClientOptions {
  credentials?: Secret | undefined;
  access_token?: Secret | undefined;
  spreadsheet: string;
  api_url: string;
}

/** The calls that the connector makes. Each is one call, never repeated; each throws what googleapis throws. */
export class SheetsClient {
  /** The e-mail that the spreadsheet is shared with; undefined with an access token, which does not tell. */
  readonly email: string | undefined;
  readonly #options: ClientOptions;
  readonly #fetch: typeof fetch;
  /** Given with each call: googleapis would drop the path of a `rootUrl` that all calls share. */
  readonly #root: { rootUrl: string };
  #opened: Promise<sheets_v4.Sheets> | undefined;

  constructor(options: ClientOptions, context: Context) {
    this.#options = options;
    this.#root = { rootUrl: options.api_url };
    const account = options.credentials && readServiceAccount(options.credentials.reveal());
    const tokenUri = account && 'token_uri' in account ? account.token_uri : GOOGLE_TOKEN_URL;
    this.email = account && 'client_email' in account ? account.client_email : undefined;
    // google-auth-library asks Google for tokens whatever the key's `token_uri` says: here it is kept.
    this.#fetch = (input, init) => context.fetch(String(input) === GOOGLE_TOKEN_URL ? tokenUri : input, init);
  }

  async tabs(): Promise<TabProperties[]> {
    const spreadsheetId = this.#options.spreadsheet;
    const sheets = await this.#sheets();
    const { data } = await sheets.spreadsheets.get({ spreadsheetId, fields: 'sheets.properties' }, this.#root);
    if (!Array.isArray(data.sheets)) throw new NotFromGoogle();
    return data.sheets.flatMap(({ properties }) => {
      const { sheetId, title, gridProperties } = properties ?? {};
      if (typeof sheetId !== 'number' || typeof title !== 'string') return [];
      return [{ gid: sheetId, title, columnCount: gridProperties?.columnCount ?? 0 }];
    });
  }

  /** The values of a range, row by row; empty rows and cells at the ends are left out. */
  async read(range: string): Promise<unknown[][]> {
    const sheets = await this.#sheets();
    const { data } = await sheets.spreadsheets.values.get(
      {
        spreadsheetId: this.#options.spreadsheet,
        range,
        // What the cell holds, not what its format makes of it; except dates, which are numbers underneath.
        valueRenderOption: 'UNFORMATTED_VALUE',
        dateTimeRenderOption: 'FORMATTED_STRING',
      },
      this.#root,
    );
    if (typeof data.range !== 'string') throw new NotFromGoogle();
    return data.values ?? [];
  }

  /** Writes ranges, all or none. RAW: a text that looks like a formula, a date or a number stays the text that it is. */
  async write(data: { range: string; values: Cell[][] }[]): Promise<void> {
    const sheets = await this.#sheets();
    const answer = await sheets.spreadsheets.values.batchUpdate(
      {
        spreadsheetId: this.#options.spreadsheet,
        requestBody: { valueInputOption: 'RAW', data },
      },
      this.#root,
    );
    if (!Array.isArray(answer.data.responses)) throw new NotFromGoogle();
  }

  /**
   * Adds rows after the table that a cell belongs to. Rows are inserted: whatever stands below the table moves down.
   * @returns the range that was written
   */
  async append(range: string, values: Cell[][]): Promise<string> {
    const sheets = await this.#sheets();
    const { data } = await sheets.spreadsheets.values.append(
      {
        spreadsheetId: this.#options.spreadsheet,
        range,
        valueInputOption: 'RAW',
        insertDataOption: 'INSERT_ROWS',
        requestBody: { values },
      },
      this.#root,
    );
    const { updatedRange } = data.updates ?? {};
    if (typeof updatedRange !== 'string') throw new NotFromGoogle();
    return updatedRange;
  }

  /** Adds a tab whose first row stays in sight. */
  async addTab(title: string, columnCount: number): Promise<TabProperties> {
    const gridProperties = { frozenRowCount: 1, rowCount: 1000, columnCount };
    const data = await this.#batch({ addSheet: { properties: { title, gridProperties } } });
    const gid = data.replies?.[0]?.addSheet?.properties?.sheetId;
    if (typeof gid !== 'number') throw new NotFromGoogle();
    return { gid, title, columnCount };
  }

  /** Writes the names of the columns into the first row of a tab, which must be wide enough or is made so. */
  async writeHeader(tab: TabProperties, names: string[]): Promise<void> {
    const length = names.length - tab.columnCount;
    if (length > 0) await this.#batch({ appendDimension: { sheetId: tab.gid, dimension: 'COLUMNS', length } });
    await this.write([{ range: inTab(tab.title, `A1:${columnName(names.length - 1)}1`), values: [names] }]);
  }

  async #batch(request: sheets_v4.Schema$Request): Promise<sheets_v4.Schema$BatchUpdateSpreadsheetResponse> {
    const sheets = await this.#sheets();
    const { data } = await sheets.spreadsheets.batchUpdate(
      {
        spreadsheetId: this.#options.spreadsheet,
        requestBody: { requests: [request] },
      },
      this.#root,
    );
    return data;
  }

  /** googleapis is loaded with the first call: by its one API, since the whole of it takes a second and 100 MB. */
  #sheets(): Promise<sheets_v4.Sheets> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<sheets_v4.Sheets> {
    const [{ sheets }, { JWT, OAuth2Client }] = await Promise.all([
      import('googleapis/build/src/apis/sheets/index.js'),
      import('google-auth-library'),
    ]);
    const { credentials, access_token } = this.#options;
    // The relay owns time: no retries here, and `context.fetch` ends calls that take too long, those for tokens too.
    const transporterOptions = { fetchImplementation: this.#fetch, retryConfig: { retry: 0 } };
    let auth: InstanceType<typeof OAuth2Client>;
    if (credentials === undefined) {
      auth = new OAuth2Client({ transporterOptions });
      auth.setCredentials({ access_token: access_token?.reveal() ?? '' });
    } else {
      const account = readServiceAccount(credentials.reveal());
      if ('problem' in account) throw new Error(account.problem);
      const { client_email: email, private_key: key } = account;
      auth = new JWT({ email, key, scopes: [SCOPE], transporterOptions });
    }
    return sheets({ version: 'v4', auth, retry: false, responseType: 'json' });
  }
}
