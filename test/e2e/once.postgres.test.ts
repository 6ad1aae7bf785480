import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./once.test.ts'));
