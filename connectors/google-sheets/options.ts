import { secret, template } from 'versive-relay/connector';
import { z } from 'zod';
import { readServiceAccount } from './credentials.ts';

/** The id in an address; that of a published page (`/d/e/2PACX-…`) is another one, which the API does not know. */
const ADDRESS = /\/spreadsheets\/(?:u\/\d+\/)?d\/(?!e\/)([A-Za-z0-9_-]+)/;
const ID = /^[A-Za-z0-9_-]{15,}$/;

export const options = z
  .strictObject({
    credentials: secret()
      .superRefine((value, context) => {
        const account = readServiceAccount(value.reveal());
        if ('problem' in account) context.addIssue({ code: 'custom', message: account.problem });
      })
      .optional()
      .describe(`The JSON text of a service account's key, as \${file:/run/secrets/google.json}.`),
    access_token: secret()
      .optional()
      .describe('An OAuth access token, in place of `credentials`; it ends after an hour.'),
    spreadsheet: z
      .string()
      .transform((text, context) => {
        const id = ADDRESS.exec(text)?.[1] ?? text.trim();
        if (!ID.test(id)) {
          const message = 'expected the id of a spreadsheet, or its address (https://docs.google.com/spreadsheets/d/…)';
          context.addIssue({ code: 'custom', message });
        }
        return id;
      })
      .describe('The spreadsheet: its id, or its address from the browser.'),
    // 100 characters are the most that a tab's name may have.
    tab: z.string().trim().min(1).max(100).default('Interviews').describe('The tab; made when it is missing.'),
    columns: z
      .record(z.string(), template())
      .superRefine((columns, context) => {
        const names = Object.keys(columns).map((name) => name.trim());
        const twice = names.find((name, index) => names.indexOf(name) !== index);
        if (twice !== undefined) context.addIssue({ code: 'custom', message: `there are two columns "${twice}"` });
        if (names.includes('')) context.addIssue({ code: 'custom', message: 'a column needs a name' });
        if (names.length === 0) context.addIssue({ code: 'custom', message: 'expected at least one column' });
      })
      .optional()
      .describe('Names of columns, and what goes into them. A lone `{{ … }}` keeps its number or boolean.'),
    key: z
      .string()
      .trim()
      .min(1)
      .default('Interview ID')
      .describe("The column that an interview's row is found by; added when `columns:` lacks it."),
    api_url: z
      .url({ protocol: /^https?$/ })
      .default('https://sheets.googleapis.com/')
      .transform((url) => (url.endsWith('/') ? url : `${url}/`))
      .describe('The root of the Sheets API, for a proxy or a stand-in.'),
  })
  .superRefine(({ credentials, access_token }, context) => {
    if ((credentials === undefined) !== (access_token === undefined)) return;
    const found = credentials === undefined ? 'neither' : 'both';
    context.addIssue({
      code: 'custom',
      message: `expected one of \`credentials\` and \`access_token\`, found ${found}`,
    });
  });

export type Options = z.output<typeof options>;
