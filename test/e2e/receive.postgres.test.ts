import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./receive.test.ts'));
