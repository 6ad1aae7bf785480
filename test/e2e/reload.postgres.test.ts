import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./reload.test.ts'));
