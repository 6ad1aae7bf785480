import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./flood.test.ts'));
