import type { Config, ServerConfig } from './config.ts';

/** What of a changed config only a restart puts in force: it is opened once. */
export function restartsFor(before: Config, after: Config): ('server' | 'store')[] {
  return [
    ...(same(before.server, after.server) ? [] : ['server' as const]),
    ...(before.store === after.store ? [] : ['store' as const]),
  ];
}

/** A secret is compared by its fingerprint: it prints like any other. */
function same(one: ServerConfig, other: ServerConfig): boolean {
  const text = (server: ServerConfig) =>
    JSON.stringify({ ...server, metricsToken: server.metricsToken?.fingerprint() ?? null });
  return text(one) === text(other);
}
