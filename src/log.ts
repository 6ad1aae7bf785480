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
 * secrets, whoever wrote it.
 */
export function createLog({ level = 'info', stream = process.stdout, scrub }: LogOptions): Logger {
  const lines = { write: (line: string) => void stream.write(scrub(line)) };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
}
