import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./deliver.test.ts'));
