import { unwatchFile, watchFile } from 'node:fs';
import path from 'node:path';

/** Milliseconds between looks at the files: a change is seen within two seconds, with room. */
const LOOK = 1_000;

/**
 * Calls back when the config file, or the `.env` beside it, has changed. It looks at the files instead of asking the
 * system to tell: that also works for mounted folders, for links that are swapped, and for editors that write a new file.
 *
 * @returns what ends the watch
 */
export function watchConfig(file: string, changed: () => void): () => void {
  const files = [file, path.join(path.dirname(file), '.env')];
  const look = (now: { mtimeMs: number; size: number; ino: number }, before: typeof now) => {
    const same = now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino;
    if (!same) changed();
  };
  for (const each of files) watchFile(each, { interval: LOOK, persistent: false }, look);
  return () => {
    for (const each of files) unwatchFile(each, look);
  };
}
