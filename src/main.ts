import { printError } from './cli/common.ts';
import { program } from './cli/program.ts';
import { RelayError } from './errors.ts';
import { version } from './version.ts';

const argv = process.argv.slice(2);
// A reader that went away (`… | head`) is no error. A relay whose log nobody reads any more goes on delivering.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (argv[0] !== 'serve') process.exit(0);
});

const relay = await program(argv, version);
if (argv.length === 0) relay.help({ error: true });
try {
  await relay.parseAsync(argv, { from: 'user' });
} catch (error) {
  if (!(error instanceof RelayError)) throw error;
  printError(error);
  process.exitCode = error.exitCode;
}
