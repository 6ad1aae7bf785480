import { type Logger, pino } from 'pino';

export interface LogOptions {
  /** pino's level names. */
  level?: string;
  /** Where lines go; standard output by default. */
  stream?: NodeJS.WritableStream;
  /** Cuts secrets out of a finished line. */
  scrub: (line: string) => string;
}

/**
 * One JSON line a step: `step` says which, and the rest is ids, counts and times. Each finished line is scrubbed of
 * secrets, whoever wrote it. The lines of one turn of the event loop are written together: a pipe wakes its reader for each
 * write.
 */
export function createLog({ level = 'info', stream = process.stdout, scrub }: LogOptions): Logger {
  let lines = '';
  const flush = () => {
    const written = lines;
    lines = '';
    unwritten.delete(flush);
    stream.write(scrub(written));
  };
  const write = (line: string) => {
    if (lines === '') {
      unwritten.add(flush);
      setImmediate(() => unwritten.has(flush) && flush());
    }
    lines += line;
  };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

/** Writes what the turn in which the process ends has logged. */
const unwritten = new Set<() => void>();
process.on('exit', () => {
  for (const flush of unwritten) flush();
});
