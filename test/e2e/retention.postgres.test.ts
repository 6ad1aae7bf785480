import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./retention.test.ts'));
