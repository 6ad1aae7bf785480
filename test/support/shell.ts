import { enableCompileCache } from 'node:module';
import type { Asked, Ran } from './verb.ts';

const MAIN = import.meta.resolve('../../src/main.ts');
const home = process.cwd();
const exit = process.exit;

/** What main.ts throws here where it would end its process. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

// Each verb adds its listeners for the end of a process that here runs on.
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
process.exit = (code) => {
  throw new Exit(Number(code ?? process.exitCode ?? 0));
};

// As bin.js does.
enableCompileCache();
let runs = 0;

/** Runs main.ts anew; what it imports is there already. */
async function run({ args, cwd }: Asked): Promise<Ran> {
  const ran: Ran = { code: 0, out: '', err: '' };
  process.stdout.write = (text) => {
    ran.out += text;
    return true;
  };
  process.stderr.write = (text) => {
    ran.err += text;
    return true;
  };
  process.argv = [process.execPath, MAIN, ...args];
  process.exitCode = 0;
  process.chdir(cwd ?? home);
  runs += 1;
  try {
    await import(`${MAIN}?run=${runs}`);
    ran.code = Number(process.exitCode);
  } catch (error) {
    ran.code = error instanceof Exit ? error.code : 1;
    if (!(error instanceof Exit)) ran.err += error instanceof Error ? error.stack : String(error);
  }
  process.exitCode = 0;
  process.chdir(home);
  return ran;
}

process.on('message', async (asked) => {
  process.send?.(await run(asked as Asked));
});
process.on('disconnect', () => exit(0));
