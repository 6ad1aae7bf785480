import { isIP } from 'node:net';
import { z } from 'zod';
import { isPostgres, problemOf } from '../address.ts';
import { secret } from '../options.ts';
import { DAY, duration, size } from './durations.ts';

/** Milliseconds from one attempt to the next, unless `retry:` says otherwise: two days in all. */
export const DEFAULT_RETRY = ['5s', '30s', '2m', '10m', '30m', '1h', '3h', '6h', '12h', '24h'];
const DEFAULT_TIMEOUT = '15s';

/** Of sources and destinations: they stand in addresses, metrics and on the command line. */
export const NAME = z
  .string()
  .regex(/^[a-z0-9-]+$/, 'expected a name of small letters, digits and hyphens, such as research-alerts');

const names = z.union([NAME, z.array(NAME)], 'expected the name of a destination, or a list of names');

/** What Fastify's `trustProxy` takes as text: addresses, ranges and these words, with commas between. */
const PROXY_WORDS = ['loopback', 'linklocal', 'uniquelocal'];

function isProxyList(text: string): boolean {
  return text.split(',').every((part) => {
    const [address = '', bits, more] = part.trim().split('/');
    const version = isIP(address);
    if (PROXY_WORDS.includes(part.trim())) return true;
    if (version === 0 || more !== undefined) return false;
    return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  });
}

export const serverSchema = z
  .strictObject({
    host: z.string().min(1).default('0.0.0.0').describe('The address to listen on.'),
    port: z.int().min(0).max(65_535).default(8080).describe('The port to listen on; 0 takes a free one.'),
    body_limit: size()
      .prefault('5MB')
      .describe('The largest request body, such as 5MB. A long transcript is a few hundred KB.'),
    trust_proxy: z
      .union([
        z.boolean(),
        z.string().refine(isProxyList, 'expected true, false, or addresses such as 10.0.0.0/8, with commas between'),
      ])
      .default(false)
      .describe('Behind a reverse proxy: true, or the addresses of the proxies, so that logs name the real client.'),
    public_url: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional()
      .describe('Where the relay is reached from outside, such as https://relay.example.com; may have a path prefix.'),
    metrics: z
      .strictObject({ token: secret().optional().describe('`GET /metrics` then wants it as a bearer token.') })
      .optional()
      .describe('Who may read the metrics.'),
  })
  .describe('Where and how the relay listens. Changes need a restart.');

export const timezoneSchema = z
  .string()
  .refine(isTimezone, 'expected a timezone such as Europe/Berlin or UTC')
  .describe('The timezone of dates in messages and on the command line, such as Europe/Berlin. UTC by default.');

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const storeSchema = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    // No word of an address: it may have a password.
    const problem = isPostgres(text) ? problemOf(text) : undefined;
    if (problem !== undefined) context.addIssue(problem);
  })
  .refine(
    (text) => isPostgres(text) || (!/^[a-z][a-z0-9+.-]+:/i.test(text) && text !== ':memory:'),
    'expected the path of a file, such as ./data/relay.db, or postgres://user:password@host/database',
  )
  .describe(
    'The file that events are kept in, relative to the config, or a PostgreSQL database: postgres://user:password@host/database. ./data/relay.db by default. Needs a restart.',
  );

/** Milliseconds of a hundred years: whoever wants longer keeps all. */
export const LONGEST_RETENTION = 36_500 * DAY;

const RETENTION = 'expected a duration of at least 1d, such as 90d (without `retention:` everything is kept)';

export const retentionSchema = duration(LONGEST_RETENTION, RETENTION)
  .refine((ms) => ms >= DAY, RETENTION)
  .describe(
    'How long bodies and deliveries are kept of events whose deliveries are settled, such as 90d. Without it, all is kept.',
  );

/** `whsec_` and base64, as Versive (and every Standard Webhooks sender) gives it. */
const signingSecret = () =>
  secret().refine(
    (text) =>
      /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/.test(text.reveal()) &&
      text.reveal().length > 'whsec_'.length,
    'expected a signing secret, whsec_ and then base64',
  );

export const sourceSchema = z.strictObject({
  secret: z
    .union([signingSecret(), z.array(signingSecret()).min(1)])
    .describe("The signing secret of Versive's webhook endpoint, whsec_…; a list of them while you rotate."),
  when: z.unknown().optional().describe('Events that this filter refuses are stored as unrouted.'),
});

const above0 = (option: z.ZodType<number, string>) => option.refine((ms) => ms > 0, 'expected a duration above 0');

/** What every destination takes, whatever its connector; also under `defaults:`, but for the connector and the names. */
export const commonSchema = z.object({
  retry: z
    .array(duration())
    .prefault(DEFAULT_RETRY)
    .describe(`When a failed delivery is tried again: the waits, each ±20 %. ${DEFAULT_RETRY.join(', ')} by default.`),
  timeout: above0(duration())
    .prefault(DEFAULT_TIMEOUT)
    .describe(`How long one call may take; ${DEFAULT_TIMEOUT} by default.`),
  settles: duration()
    .optional()
    .describe(
      "How long a write may still arrive after its call has ended, before the relay believes that it did not; the connector's own, 10s as a rule.",
    ),
  pace: z
    .strictObject(
      {
        calls: z.int().min(1).describe('At most so many calls …'),
        per: above0(duration()).describe('… in so long, such as 1m.'),
      },
      'expected a map such as { calls: 60, per: 1m }',
    )
    .optional()
    .describe("Fewer (or more) calls than the connector's own pace, such as { calls: 60, per: 1m }."),
  enabled: z.boolean().default(true).describe('false holds the deliveries of the destination until it is true again.'),
});

export const destinationSchema = commonSchema.extend({
  connector: z.string().describe('The kind of service: the name of a connector.'),
  renamed_from: NAME.optional().describe('The name that this destination had: its deliveries and receipts carry over.'),
});

export const routeSchema = z.strictObject({
  name: z.string().min(1).describe('What explain, logs and lists call the route.'),
  when: z.unknown().optional().describe('Which events it takes; without it, all.'),
  to: names.describe('The destinations that its events go to: a name, or a list.'),
  stop: z.boolean().default(false).describe('true: an event that this route takes is not shown to the routes below.'),
  enabled: z.boolean().default(true).describe('false keeps the route, but it takes nothing.'),
});

/** What a test expects of an event that no route takes. */
export const UNROUTED = 'unrouted';

/** Destinations, but for the one name that tests use. */
export const DESTINATION_NAME = NAME.refine(
  (name) => name !== UNROUTED,
  `no destination can have the name "${UNROUTED}": in tests, to: ${UNROUTED} says that an event goes nowhere`,
);

const texts = z.union(
  [z.string().min(1), z.array(z.string().min(1)).min(1)],
  'expected text that is not empty, or a list of such texts',
);

const renderSchema = z
  .strictObject({
    contains: texts.optional().describe('It says this; of a list, each of these.'),
    not_contains: texts.optional().describe('It does not say this; of a list, none of these.'),
  })
  .refine(
    ({ contains, not_contains }) => contains !== undefined || not_contains !== undefined,
    'nothing is looked for: write contains: or not_contains:, with a text',
  );

export const testSchema = z.strictObject({
  name: z.string().min(1).describe('What the test expects, in words.'),
  source: NAME.optional().describe('The source that the event comes from; the first one by default.'),
  event: z
    .union(
      [z.record(z.string(), z.unknown()), z.string().min(1)],
      'expected the fields of an event, or the path of a file with one',
    )
    .describe(
      'The fields of the event that matter here; or a file with a whole one, such as ./events/enterprise.json.',
    ),
  to: z
    .union([z.literal(UNROUTED), ...names.options], 'expected unrouted, the name of a destination, or a list of names')
    .optional()
    .describe('The destinations that the event must go to, all of them and no other; unrouted (or []) for none.'),
  renders: z
    .record(NAME, renderSchema)
    .optional()
    .describe('What destinations must be sent, such as research-alerts: { contains: Pricing }.'),
});

/** What stands in the list `tests:`. */
export const testsSchema = z
  .array(
    z.union([
      z.string().describe('Files that hold a list of tests each, such as tests/*.yaml, relative to this one.'),
      testSchema,
    ]),
  )
  .describe('What the routes must do with an event. versive-relay test runs them.');

export const onFailureSchema = names.describe(
  'The destinations that are told of failed deliveries, halted lanes and the like.',
);
export const pluginsSchema = z
  .array(z.string().min(1))
  .describe('Folders of connectors (relative to the config), and npm packages that are one.');

/** What a person can write in two ways has one here: a list says what `{a,b}` would, and cannot grow without end. */
export const patternSchema = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => !/[{}()]/.test(text), 'expected a pattern with *, **, ? and [ ] only; give several as a list');

export const includeSchema = z
  .union([patternSchema, z.array(patternSchema)], 'expected a pattern such as teams/*.yaml, or a list of patterns')
  .describe('Files that add destinations, routes, tests and defaults: a pattern such as teams/*.yaml, or a list.');

/** The keys of the config's top level, in the order of the reference. */
export const SECTIONS = [
  'include',
  'server',
  'timezone',
  'store',
  'retention',
  'plugins',
  'sources',
  'defaults',
  'destinations',
  'routes',
  'on_failure',
  'tests',
];

/** Those that an included file may have too. */
export const SHARED_SECTIONS = ['defaults', 'destinations', 'routes', 'tests'];
