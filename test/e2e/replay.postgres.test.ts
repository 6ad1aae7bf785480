import { againOnPostgres } from '../support/stores.ts';

await againOnPostgres(() => import('./replay.test.ts'));
