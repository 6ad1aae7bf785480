import { EventEmitter } from 'node:events';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Faults } from './faults.ts';
import { Accounts } from './sheets/account.ts';
import { disabledRefusal, faultBody, GoogleRefusal, invalid, quotaRefusal } from './sheets/errors.ts';
import { select } from './sheets/fields.ts';
import { sameTitle } from './sheets/range.ts';
import { Spreadsheet } from './sheets/spreadsheet.ts';
import type { Tab, ValueInputOption } from './sheets/tab.ts';

/** The spreadsheet that is there from the start, and that the demo fills. */
export const SHEETS_SPREADSHEET = '1SandboxInterviewTracker4VersiveRelayDemo0A';
/** The service account that it is shared with as Editor, and an access token of it. */
export const SHEETS_ACCOUNT = 'relay@sandbox.iam.gserviceaccount.com';
export const SHEETS_TOKEN = 'ya29.sandbox-token';

/** Bytes of a request; Google's front end refuses more. */
const MOST_BYTES = 10_485_760;

type Json = Record<string, unknown>;
interface Call {
  Params: { spreadsheet: string; range: string };
  Querystring: Record<string, string | string[] | undefined>;
  Body: Json;
}

/**
 * Plays the Google Sheets API v4, and the token endpoint of service accounts, for googleapis: what Google would refuse, it
 * refuses in Google's words. Quotas are the one exception: `perMinute` turns them on.
 */
export class SheetsStandIn extends EventEmitter<{ change: [] }> {
  readonly faults = new Faults(faultBody);
  readonly accounts = new Accounts();
  readonly spreadsheets = new Map<string, Spreadsheet>();
  /** Calls that came, as `POST values:append`, oldest first; the last 1,000 of them. */
  readonly calls: string[] = [];
  /** Reads, and likewise writes, that a user may make in a minute; Google allows 60 of each. */
  perMinute = Number.POSITIVE_INFINITY;
  /** The project has not enabled the Sheets API. */
  isDisabled = false;
  #counted: { at: number; user: string; right: 'read' | 'write' }[] = [];

  constructor() {
    super();
    this.accounts.allow(SHEETS_TOKEN, SHEETS_ACCOUNT);
    this.addSpreadsheet({ id: SHEETS_SPREADSHEET, title: 'Interview tracker' });
  }

  /** A spreadsheet with one empty tab, `Sheet1`, shared with the stand-in's service account as Editor. */
  addSpreadsheet(options: { id: string; title: string }): Spreadsheet {
    const spreadsheet = new Spreadsheet(options.id, options.title);
    spreadsheet.editors.add(SHEETS_ACCOUNT);
    this.spreadsheets.set(options.id, spreadsheet);
    return spreadsheet;
  }

  /** A tab of a spreadsheet, by its name. */
  tab(title: string, id = SHEETS_SPREADSHEET): Tab | undefined {
    return this.spreadsheets.get(id)?.tabs.find((tab) => sameTitle(tab.title, title));
  }

  /** All that the page shows. A blank cell is null; `formulas` lists the cells that ran as a formula, as `B2`. */
  snapshot() {
    return {
      spreadsheets: [...this.spreadsheets.values()].map(({ id, title, tabs }) => ({
        id,
        title,
        tabs: tabs.map((tab) => ({ id: tab.id, title: tab.title, rows: tab.rows(), formulas: tab.formulas() })),
      })),
    };
  }

  routes(app: FastifyInstance): void {
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      async (_request: FastifyRequest, text: string) => new URLSearchParams(text),
    );
    app.setErrorHandler((error, _request, reply) => {
      const refusal = refusalOf(error);
      return reply.code(refusal.code).send(refusal.body());
    });

    app.post<{ Body: URLSearchParams }>('/token', async (request, reply) => {
      const { status, body } = this.accounts.grant(request.body);
      return reply.code(status).send(body);
    });

    const path = '/v4/spreadsheets/:spreadsheet';
    const limit = { bodyLimit: MOST_BYTES };
    app.get<Call>(path, async (request) => {
      const spreadsheet = this.#open(request, request.params.spreadsheet, 'read', 'GET spreadsheet');
      return select(spreadsheet.describe(), text(request.query.fields));
    });
    app.post<Call>(path, limit, async (request) => {
      const [id = '', verb] = request.params.spreadsheet.split(':');
      if (verb !== 'batchUpdate') throw new GoogleRefusal('NOT_FOUND', 'Requested entity was not found.');
      const spreadsheet = this.#open(request, id, 'write', 'POST :batchUpdate');
      const answer = spreadsheet.batchUpdate(listOf(request.body.requests));
      this.emit('change');
      return answer;
    });
    app.get<Call>(`${path}/values/:range`, async (request) => {
      const { params, query } = request;
      const spreadsheet = this.#open(request, params.spreadsheet, 'read', 'GET values');
      return select(spreadsheet.read(params.range, ...readOptions(query)), text(query.fields));
    });
    app.get<Call>(`${path}/values::batchGet`, async (request) => {
      const { params, query } = request;
      const spreadsheet = this.#open(request, params.spreadsheet, 'read', 'GET values:batchGet');
      const ranges = [query.ranges ?? []].flat();
      const valueRanges = ranges.map((range) => spreadsheet.read(range, ...readOptions(query)));
      return select({ spreadsheetId: spreadsheet.id, valueRanges }, text(query.fields));
    });
    app.put<Call>(`${path}/values/:range`, limit, async (request) => {
      const { params, query, body } = request;
      const spreadsheet = this.#open(request, params.spreadsheet, 'write', 'PUT values');
      const one = { ...valueRange(body), range: params.range };
      const [answer] = spreadsheet.update([one], inputOption(query.valueInputOption));
      this.emit('change');
      return answer;
    });
    app.post<Call>(`${path}/values::batchUpdate`, limit, async (request) => {
      const { params, body } = request;
      const spreadsheet = this.#open(request, params.spreadsheet, 'write', 'POST values:batchUpdate');
      const data = listOf(body.data).map(valueRange);
      const responses = spreadsheet.update(data, inputOption(body.valueInputOption));
      this.emit('change');
      return { spreadsheetId: spreadsheet.id, responses };
    });
    app.post<Call>(`${path}/values/:range`, limit, async (request) => {
      const { params, query, body } = request;
      const range = /^(.+):append$/s.exec(params.range)?.[1];
      if (range === undefined) throw new GoogleRefusal('NOT_FOUND', 'Requested entity was not found.');
      const spreadsheet = this.#open(request, params.spreadsheet, 'write', 'POST values:append');
      const answer = await spreadsheet.append({
        range,
        values: valueRange(body).values,
        input: inputOption(query.valueInputOption),
        insert: insertOption(text(query.insertDataOption)),
        echo: text(query.includeValuesInResponse) === 'true',
      });
      this.emit('change');
      return answer;
    });
  }

  /** Judges who calls, as Google does: the token first, then the API, then the file and its sharing, then the quota. */
  #open({ headers }: FastifyRequest<Call>, id: string, right: 'read' | 'write', call: string): Spreadsheet {
    this.calls.push(call);
    if (this.calls.length > 1000) this.calls.shift();
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const user = token === undefined ? undefined : this.accounts.who(token);
    if (user === undefined) {
      const message =
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid ' +
        'authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';
      throw new GoogleRefusal('UNAUTHENTICATED', message);
    }
    if (this.isDisabled) throw disabledRefusal();
    const spreadsheet = this.spreadsheets.get(id);
    if (!spreadsheet) throw new GoogleRefusal('NOT_FOUND', 'Requested entity was not found.');
    const { editors, viewers } = spreadsheet;
    if (!editors.has(user) && !(right === 'read' && viewers.has(user))) {
      throw new GoogleRefusal('PERMISSION_DENIED', 'The caller does not have permission');
    }
    if (spreadsheet.isOfficeFile) {
      throw new GoogleRefusal('FAILED_PRECONDITION', 'This operation is not supported for this document');
    }
    this.#count(user, right);
    return spreadsheet;
  }

  #count(user: string, right: 'read' | 'write'): void {
    const now = Date.now();
    this.#counted = this.#counted.filter(({ at }) => at > now - 60_000);
    const same = this.#counted.filter((call) => call.user === user && call.right === right);
    if (same.length >= this.perMinute) throw quotaRefusal(right);
    if (this.perMinute !== Number.POSITIVE_INFINITY) this.#counted.push({ at: now, user, right });
  }
}

function readOptions(query: Call['Querystring']) {
  const render = text(query.valueRenderOption) ?? 'FORMATTED_VALUE';
  if (render !== 'FORMATTED_VALUE' && render !== 'UNFORMATTED_VALUE' && render !== 'FORMULA') {
    throw invalid(`Invalid value at 'value_render_option', "${render}"`);
  }
  const major = text(query.majorDimension) ?? 'ROWS';
  if (major !== 'ROWS' && major !== 'COLUMNS') throw invalid(`Invalid value at 'major_dimension', "${major}"`);
  const dates = text(query.dateTimeRenderOption) ?? 'SERIAL_NUMBER';
  if (dates !== 'SERIAL_NUMBER' && dates !== 'FORMATTED_STRING') {
    throw invalid(`Invalid value at 'date_time_render_option', "${dates}"`);
  }
  return [render, major] as const;
}

function inputOption(value: unknown): ValueInputOption {
  if (value === 'RAW' || value === 'USER_ENTERED') return value;
  if (value === undefined) throw invalid("'valueInputOption' is required but not specified");
  throw invalid(`Invalid value at 'value_input_option', "${value}"`);
}

function insertOption(value = 'OVERWRITE') {
  if (value === 'OVERWRITE' || value === 'INSERT_ROWS') return value;
  throw invalid(`Invalid value at 'insert_data_option', "${value}"`);
}

/** Reads a ValueRange. @throws GoogleRefusal for what is none */
function valueRange(body: unknown): { range: string; values: unknown[][] } {
  const { range, values, majorDimension, ...others } = (body ?? {}) as Json;
  const [name] = Object.keys(others);
  if (name !== undefined) {
    throw invalid(`Invalid JSON payload received. Unknown name "${name}" at 'data': Cannot find field.`);
  }
  if (majorDimension !== undefined && majorDimension !== 'ROWS') throw invalid('The sandbox takes rows only.');
  if (values !== undefined && !(Array.isArray(values) && values.every(Array.isArray))) {
    throw invalid("Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue)");
  }
  return { range: typeof range === 'string' ? range : '', values: (values ?? []) as unknown[][] };
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value : [];
}

/** Fastify's own refusals, as Google says them. */
function refusalOf(error: unknown): GoogleRefusal {
  if (error instanceof GoogleRefusal) return error;
  const { statusCode, message } = error as { statusCode?: number; message: string };
  if (statusCode === 413) return invalid(`Request payload size exceeds the limit: ${MOST_BYTES} bytes.`);
  if (statusCode === 400 || statusCode === 415) return invalid(`Invalid JSON payload received. ${message}`);
  return new GoogleRefusal('INTERNAL', 'Internal error encountered.');
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
