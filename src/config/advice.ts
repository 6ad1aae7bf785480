import type { DestinationConfig } from './config.ts';
import { withDefaults } from './destinations.ts';
import type { Located } from './locate.ts';
import { findPlainSecrets } from './plain-secrets.ts';
import type { Report } from './report.ts';
import { adviseOnRoutes } from './route-advice.ts';
import { serverSchema, sourceSchema, storeSchema } from './schema.ts';
import { findSingleBraces, findUnknownFields } from './template-fields.ts';
import { templatesOf } from './template-list.ts';
import { type Sample, tryDestination } from './trial.ts';
import { findUnused } from './unused.ts';

/** The parts of a config that advice is about. */
export interface Advised {
  /** The sections, by name. */
  sections: ReadonlyMap<string, Located>;
  /** Those without errors. */
  destinations: ReadonlyMap<string, DestinationConfig>;
  /** The names of all connectors, also of those that no destination has. */
  connectors: readonly string[];
  samples: readonly Sample[];
  folder: string;
  timezone: string;
}

/**
 * Tells of what is legal, and surely not meant. It is for people who look at a config: nothing of it keeps a relay from
 * taking one.
 */
export async function advise(advised: Advised, report: Report): Promise<void> {
  const { sections, destinations, connectors, samples, ...place } = advised;
  adviseOnRoutes(sections.get('sources'), sections.get('routes'), report);
  findUnused(sections, connectors, report);
  const server = sections.get('server');
  if (server) findPlainSecrets(server, { schema: serverSchema, prefix: 'relay' }, report);
  const store = sections.get('store');
  if (store) findPlainSecrets(store, { schema: storeSchema, prefix: 'relay_store' }, report);
  for (const [name, located] of sections.get('sources')?.entries ?? []) {
    findPlainSecrets(located, { schema: sourceSchema, prefix: `${name}_webhook` }, report);
  }
  for (const [name, written] of sections.get('destinations')?.entries ?? []) {
    const destination = destinations.get(name);
    if (!destination || report.full || report.isMisread(written)) continue;
    const located = withDefaults(written, sections.get('defaults'));
    findPlainSecrets(located, { schema: destination.connector.options, prefix: destination.connector.name }, report);
    const templates = templatesOf(destination.options, located);
    for (const template of templates)
      report.options(located, [...findUnknownFields(template), ...findSingleBraces(template)]);
    await tryDestination(destination, { located, templates }, samples, { ...place, report });
  }
}
