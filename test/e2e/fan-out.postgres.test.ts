import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./fan-out.test.ts'));
