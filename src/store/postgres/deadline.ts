import { RelayError } from '../../errors.ts';

/**
 * What the database answers, within so many milliseconds; what was asked goes on all the same. Waiting keeps no process
 * alive.
 *
 * @throws RelayError RELAY_STORE_BUSY when there was no answer: what was asked may yet be done
 */
export function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const why = `the store cannot commit: the database has not answered for ${ms / 1000} s`;
      const fix = 'Look at the database: is it up, can this machine reach it, and does anything hold its locks?';
      reject(new RelayError('RELAY_STORE_BUSY', why, { fix }));
    }, ms).unref();
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
