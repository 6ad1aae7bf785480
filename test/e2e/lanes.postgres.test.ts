import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./lanes.test.ts'));
