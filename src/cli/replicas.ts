import { Command } from 'commander';
import { isPostgres, shownStore } from '../address.ts';
import { RelayError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { listReplicas } from '../store/open.ts';
import type { Replica } from '../store/store.ts';
import { readBasics } from './common.ts';
import { showMoment } from './moment.ts';
import { configOption, jsonOption } from './options.ts';
import { printJson } from './shapes.ts';
import { type Cell, printNotes, printTable } from './table.ts';

/** Of ids and hashes, what a person tells them apart by. */
const SHORT = 8;

/** `replicas`: the relays that serve the store of the config now. */
export function replicasCommand(): Command {
  return new Command('replicas')
    .description('list the relays that serve the store now')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      `
A relay that was killed is listed for another three seconds. Of an SQLite file, all that can be told is whether one
relay serves it. Exit code 1 when none does.

With --json, a line for each: {"id", "host", "version", "started_at", "config_hash", "config"}; config is same, or other
when most run by another one; null is what is not known.

Examples:
  $ versive-relay replicas
  $ versive-relay replicas --json | jq -r .version | sort | uniq -c`,
    )
    .action(async ({ config, json }: { config: string; json?: true }) => {
      const { store, timezone } = await readBasics(config);
      const replicas = await listReplicas(store);
      if (replicas.length === 0) {
        throw new RelayError('RELAY_NOT_RUNNING', `No relay serves the store ${shownStore(store)}.`, {
          fix: 'Start one with `versive-relay serve`.',
        });
      }
      const common = mostCommon(replicas);
      if (json) for (const replica of replicas) printJson(shapeOf(replica, common));
      else if (isPostgres(store)) print(replicas, common, timezone);
      else process.stdout.write(`One relay serves the store ${store}, as many as can serve a file.\n`);
    });
}

/** The config that more of them run by than by any other; undefined when there is none. */
function mostCommon(replicas: Partial<Replica>[]): string | undefined {
  const hashes = replicas.flatMap(({ configHash }) => configHash ?? []);
  const [first, second] = [...Map.groupBy(hashes, (hash) => hash)].sort(([, a], [, b]) => b.length - a.length);
  return first && first[1].length > (second?.[1].length ?? 0) ? first[0] : undefined;
}

function configOf({ configHash }: Partial<Replica>, common: string | undefined): 'same' | 'other' | undefined {
  if (configHash === undefined) return undefined;
  return configHash === common ? 'same' : 'other';
}

function shapeOf(replica: Partial<Replica>, common: string | undefined): JsonObject {
  const { id, host, version, startedAt, configHash } = replica;
  return {
    id: id ?? null,
    host: host ?? null,
    version: version ?? null,
    started_at: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    config_hash: configHash ?? null,
    config: configOf(replica, common) ?? null,
  };
}

function print(replicas: Partial<Replica>[], common: string | undefined, timezone: string): void {
  const rows = replicas.map((replica) => {
    const { id = '', host = '', version = '', startedAt = 0, configHash } = replica;
    const config = configOf(replica, common);
    const cell: Cell = { text: `${configHash?.slice(0, SHORT) ?? 'not told yet'} ${config ?? ''}`.trimEnd() };
    if (config === 'other') cell.style = 'yellow';
    return { cells: [id.slice(0, SHORT), host, version, showMoment(startedAt, timezone), cell] };
  });
  printTable(['ID', 'HOST', 'VERSION', 'SINCE', 'CONFIG'], rows, process.stdout);
  if (replicas.every((replica) => configOf(replica, common) !== 'other')) return;
  const text = 'They run by different configs: what becomes of an event depends on which of them takes it.';
  printNotes([{ text, style: 'yellow' }], process.stdout);
}
