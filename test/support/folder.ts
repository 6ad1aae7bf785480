import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A temporary folder with these files, for whoever has no test to tie it to: gone with `remove`. */
export async function openFolder(
  files: Record<string, string> = {},
): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'versive-relay-test-'));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A temporary folder with these files, removed after the test. */
export async function makeFolder(test: TestContext, files: Record<string, string> = {}): Promise<string> {
  const { folder, remove } = await openFolder(files);
  test.after(remove);
  return folder;
}
