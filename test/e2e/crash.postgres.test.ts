import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./crash.test.ts'));
