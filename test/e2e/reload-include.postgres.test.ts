import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./reload-include.test.ts'));
