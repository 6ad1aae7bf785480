import path from 'node:path';
import { type Failure, halt, retry, unknown } from 'versive-relay/connector';

/** What a failure of the file system means for a delivery, when a file was to be written, or to be read back. */
export function fileOutcome(error: unknown, file: string, verb: 'written' | 'read' = 'written'): Failure {
  const { code } = error as NodeJS.ErrnoException;
  const folder = path.dirname(file);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return retry('server', `no space is left for ${file} (${code})`);
    case 'EMFILE':
    case 'ENFILE':
    case 'EAGAIN':
    case 'EBUSY':
      return retry('server', `${file} cannot be opened right now (${code})`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return halt(
        'forbidden',
        `${file} cannot be ${verb} (${code})`,
        `Let the user of the relay read and write in ${folder}.`,
      );
    case 'ENOENT':
    case 'ENOTDIR':
      return halt('not_found', `the folder ${folder} is not there (${code})`, `Make the folder: mkdir -p ${folder}`);
    case 'EISDIR':
      return halt('invalid', `${file} is a folder (${code})`, 'Name a file in `path:`.');
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return halt('invalid', `${file} is no path that can be opened (${code})`, 'Correct `path:`.');
    default:
      return unknown('server', `${file} could not be ${verb} (${code ?? 'for no known reason'})`);
  }
}
