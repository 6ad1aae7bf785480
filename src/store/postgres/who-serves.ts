import { notThere } from '../not-there.ts';
import type { Replica } from '../store.ts';
import { schemaVersion } from './migrate.ts';
import { withClient } from './open.ts';
import { type ReplicaRow, replicaOf, replicasStatement } from './replicas.ts';

/** The relays that serve the store, asked by one that does not. @throws RelayError RELAY_STORE_OPEN */
export function postgresReplicas(store: string): Promise<Replica[]> {
  return withClient(store, async (client) => {
    if ((await schemaVersion(client)).version === 0) throw notThere(store);
    return (await client.query<ReplicaRow>(replicasStatement())).rows.map((row) => replicaOf(row));
  });
}
