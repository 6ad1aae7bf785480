import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./stop.test.ts'));
