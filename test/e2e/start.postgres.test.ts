import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./start.test.ts'));
