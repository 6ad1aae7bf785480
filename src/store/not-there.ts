import { shownStore } from '../address.ts';
import { RelayError } from '../errors.ts';

/** That a store is not there, where one is not simply made. */
export function notThere(location: string): RelayError {
  return new RelayError('RELAY_STORE_OPEN', `there is no store at ${shownStore(location)} yet`, {
    fix: 'Make it with `versive-relay migrate --create`, or correct `store:`. A relay that starts makes it too.',
  });
}
