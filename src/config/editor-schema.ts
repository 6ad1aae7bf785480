/** The JSON Schema of the config, from which editors complete and explain options. */
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../model.ts';
import { findConnectors, loadConnector } from './plugins.ts';
import {
  commonSchema,
  destinationSchema,
  includeSchema,
  NAME,
  onFailureSchema,
  pluginsSchema,
  retentionSchema,
  routeSchema,
  SECTIONS,
  SHARED_SECTIONS,
  serverSchema,
  sourceSchema,
  storeSchema,
  testsSchema,
  timezoneSchema,
} from './schema.ts';

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const oneOrMore = z.union([scalar, z.array(scalar)]);
const bound = z.union([z.number(), z.string()]).describe('A number, or an ISO 8601 time.');

/** What a filter compares a field with. The filter's own compiler judges it; this is for editors. */
const condition: z.ZodType = z
  .lazy(() => anyCondition)
  .meta({ id: 'condition', description: 'A value, a list (any of), null (missing or null), or operators.' });

const anyCondition = z.union([
  oneOrMore,
  z
    .strictObject({
      not: condition.describe('The condition must not hold.'),
      in: z.array(scalar).describe('Any of these.'),
      exists: z.boolean().describe('Is it there, and not null?'),
      contains: oneOrMore.describe('A part of the text, or an element of the list.'),
      starts_with: oneOrMore.describe('The text begins so.'),
      ends_with: oneOrMore.describe('The text ends so.'),
      matches: z.string().describe('A regular expression (RE2). It searches: anchor it with ^ and $.'),
      gt: bound,
      gte: bound,
      lt: bound,
      lte: bound,
    })
    .partial(),
]);

const when: z.ZodType = z
  .lazy(() => filter)
  .meta({
    id: 'when',
    description: 'A filter: paths such as interview.metadata.plan, and what must stand there. All must hold.',
  });

const members = z.union([z.array(when), when]);
const filter = z
  .object({
    all: members.describe('All of these must hold.'),
    any: members.describe('One of these must hold.'),
    not: when.describe('These must not all hold.'),
    event_type: condition,
    source: condition,
    'interview.id': condition,
    'interview.vid': condition,
    'interview.active_time': condition.describe('Seconds.'),
    'interview.is_mock': condition,
    'study.id': condition,
    'study.title': condition,
  })
  .partial()
  .catchall(condition);

/** A text that is one `${…}` may stand for any value: it is read as what its option expects. */
const SUBSTITUTION = { type: 'string', pattern: '^\\$\\{.+\\}$', description: 'A variable or file.' };

/** The schema of the whole config, and of the files that it includes, with the options of every connector that comes with the relay. */
export async function editorSchema(): Promise<JsonObject> {
  const connectors = await Promise.all([...(await findConnectors())].map(([name, file]) => loadConnector(file, name)));
  const definitions: JsonObject = {};
  const convert = (schema: z.ZodType): JsonObject => {
    const {
      $schema: _,
      definitions: inner,
      ...converted
    } = z.toJSONSchema(schema, {
      target: 'draft-7',
      io: 'input',
      unrepresentable: 'any',
    }) as JsonObject;
    // Each connector may have a definition of a name that another one has: only filters' are known by name.
    const named = renamed(inner as JsonObject | undefined, definitions);
    return withSubstitution(named(converted)) as JsonObject;
  };

  const { connector: _, ...shared } = properties(convert(destinationSchema));
  const options = connectors.map(({ name, description, options: schema }) => ({
    name,
    description,
    own: properties(convert(schema)),
  }));
  const destination: JsonObject = {
    type: 'object',
    required: ['connector'],
    properties: {
      connector: {
        description: destinationSchema.shape.connector.description ?? '',
        anyOf: [...options.map(({ name, description }) => ({ const: name, description })), { type: 'string' }],
      },
    },
    allOf: options.map(({ name, description, own }) => ({
      if: { properties: { connector: { const: name } }, required: ['connector'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { description, properties: { connector: { const: name }, ...shared, ...own }, additionalProperties: false },
    })),
  };
  const common = properties(convert(commonSchema));
  const map = (of: JsonValue): JsonObject => ({
    type: 'object',
    propertyNames: { pattern: NAME_PATTERN },
    additionalProperties: of,
  });
  const sections: JsonObject = {
    include: convert(includeSchema),
    server: convert(serverSchema),
    timezone: convert(timezoneSchema),
    store: convert(storeSchema),
    retention: convert(retentionSchema),
    plugins: convert(pluginsSchema),
    sources: {
      ...map(convert(sourceSchema.extend({ when: when.optional() }))),
      description: 'Who may send events: POST /webhooks/<name>.',
    },
    defaults: {
      type: 'object',
      description: 'Options that all destinations of a connector share.',
      properties: Object.fromEntries(
        options.map(({ name, description, own }) => [
          name,
          { type: 'object', description, properties: { ...common, ...own }, additionalProperties: false },
        ]),
      ),
    },
    destinations: { ...map(destination), description: 'Where events can go.' },
    routes: {
      type: 'array',
      description: 'Who gets what.',
      items: convert(routeSchema.extend({ when: when.optional() })),
    },
    on_failure: convert(onFailureSchema),
    tests: convert(testsSchema),
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'The config of versive-relay',
    type: 'object',
    properties: sections,
    // A file without any of these is one that the config includes.
    if: { anyOf: SECTIONS.filter((name) => !SHARED_SECTIONS.includes(name)).map((name) => ({ required: [name] })) },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['sources'] },
    patternProperties: { '^x-': { description: 'Anchors, and whatever else you like to keep here.' } },
    additionalProperties: false,
    definitions,
  };
}

const NAME_PATTERN = z.toJSONSchema(NAME).pattern ?? '';

function properties(schema: JsonObject): JsonObject {
  return schema.properties as JsonObject;
}

/** Moves a conversion's definitions to the shared ones, and gives what lets its references find them there. */
function renamed(inner: JsonObject | undefined, shared: JsonObject): (tree: JsonValue) => JsonValue {
  const names = new Map<string, string>();
  for (const name of Object.keys(inner ?? {})) {
    const isOurs = name === 'when' || name === 'condition';
    names.set(name, isOurs ? name : `${name.replace(/^_+/, 'part')}_${Object.keys(shared).length + names.size}`);
  }
  const rename = (tree: JsonValue): JsonValue => {
    if (Array.isArray(tree)) return tree.map(rename);
    if (typeof tree !== 'object' || tree === null) return tree;
    return Object.fromEntries(
      Object.entries(tree).map(([key, value]) => {
        const target = key === '$ref' ? /^#\/definitions\/(.+)$/.exec(String(value))?.[1] : undefined;
        return [key, target === undefined ? rename(value) : `#/definitions/${names.get(target) ?? target}`];
      }),
    );
  };
  for (const [name, to] of names) shared[to] ??= withSubstitution(rename(inner?.[name] ?? {}));
  return rename;
}

/** Lets a `${…}` stand wherever a value that is not free text is expected. */
function withSubstitution(tree: JsonValue): JsonValue {
  if (Array.isArray(tree)) return tree.map(withSubstitution);
  if (typeof tree !== 'object' || tree === null) return tree;
  const inner = Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [
      key,
      key === 'enum' || key === 'default' || key === 'const' ? value : withSubstitution(value),
    ]),
  );
  const isTyped = ['number', 'integer', 'boolean'].includes(String(tree.type));
  const isNarrow =
    tree.type === 'string' && (tree.pattern !== undefined || tree.format !== undefined || tree.enum !== undefined);
  if (!isTyped && !isNarrow) return inner;
  const { description, default: otherwise, ...bare } = inner;
  return {
    ...(description !== undefined && { description }),
    ...(otherwise !== undefined && { default: otherwise }),
    anyOf: [bare, SUBSTITUTION],
  };
}
