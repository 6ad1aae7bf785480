import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { findConnectors, loadConnector } from '../src/config/plugins.ts';
import { ERRORS } from '../src/errors.ts';

const root = path.resolve(import.meta.dirname, '..');
const files = globSync(['src/**/*.ts', 'connectors/**/*.ts'], { cwd: root });

/** Which floor a file stands on; the sandbox stands beside the tower. */
function floorOf(file: string): number | 'sandbox' | 'connector' {
  if (file.startsWith('connectors/')) return 'connector';
  if (file.startsWith('src/sandbox/')) return 'sandbox';
  if (file === 'src/main.ts') return 6;
  if (file.startsWith('src/cli/')) return 5;
  if (['src/app.ts', 'src/effect.ts', 'src/retention.ts', 'src/unison.ts'].includes(file)) return 4;
  if (/^src\/(receive|deliver)\//.test(file)) return 3;
  if (/^src\/(config\/(schema|durations)|store\/store|backoff)\.ts$/.test(file)) return 1;
  if (/^src\/(config|store)\//.test(file) || file === 'src/log.ts' || file === 'src/metrics.ts') return 2;
  if (/^src\/(route|render)\//.test(file)) return 1;
  assert.match(file, /^src\/[a-z]+\.ts$/, `${file} stands on no floor`);
  return 0;
}

/** The files of this project that a file imports, by static and dynamic imports alike. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']*)'/g);
  return [...found].map(([, target]) => path.join(path.dirname(file), target ?? ''));
}

const graph = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]));

/** Lower floors may be imported; within a folder also the same floor. The verbs alone know the sandbox, and it knows no verb. */
function mayImport(file: string, target: string): boolean {
  const [from, to] = [floorOf(file), floorOf(target)];
  if (from === 'connector') return sameConnector(file, target);
  if (to === 'sandbox') return from === 'sandbox' || from === 5;
  if (to === 'connector') return false;
  if (from === 'sandbox') return to <= 4;
  return from > to || (from === to && folderOf(file) === folderOf(target));
}

/** A folder within a folder belongs to it. */
function folderOf(file: string): string {
  return path.dirname(file).split('/').slice(0, 2).join('/');
}

test('a file imports only from lower floors, and folders on one floor do not import each other', () => {
  const wrong = [...graph].flatMap(([file, targets]) =>
    targets
      .filter((target) => !mayImport(file, target))
      .map((target) => `${file} (${floorOf(file)}) imports ${target} (${floorOf(target)})`),
  );
  assert.deepEqual(wrong, []);
});

test("no verb's file imports another verb's", () => {
  const verbs = files.filter((file) => {
    const text = file.startsWith('src/cli/') ? readFileSync(path.join(root, file), 'utf8') : '';
    return /^export function \w+Command\(\): Command/m.test(text);
  });
  assert.ok(verbs.length > 15, `${verbs.length}`);
  const wrong = verbs.flatMap((file) =>
    (graph.get(file) ?? []).filter((target) => verbs.includes(target)).map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

/** A connector's companions stand in a folder of its name, and may import each other. */
function sameConnector(file: string, target: string): boolean {
  const name = (each: string) => each.split('/')[1]?.replace(/\.ts$/, '');
  return target.startsWith('connectors/') && name(file) === name(target);
}

test('connectors know of the relay only its public contract', () => {
  const wrong = files
    .filter((file) => file.startsWith('connectors/'))
    .filter((file) => /'[./]*\/src\//.test(readFileSync(path.join(root, file), 'utf8')));
  assert.deepEqual(wrong, []);
});

test('no file imports itself by way of others', () => {
  const done = new Set<string>();
  const visit = (file: string, way: string[]): void => {
    assert.ok(!way.includes(file), `a cycle: ${[...way.slice(way.indexOf(file)), file].join(' → ')}`);
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test('files stay small: none above 400 lines, connectors at most 250', () => {
  const judged = [...files, ...globSync(['{test,bench}/**/*.ts', 'src/sandbox/page/*.{js,css}'], { cwd: root })];
  const long = judged.filter((file) => {
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n').length - 1;
    return lines > (file.startsWith('connectors/') ? 250 : 400);
  });
  assert.deepEqual(long, []);
});

test('docs/errors.md explains every error code, and no other', () => {
  const documented = readFileSync(path.join(root, 'docs/errors.md'), 'utf8').matchAll(/^### `(RELAY_[A-Z_]+)`/gm);
  assert.deepEqual([...documented].map(([, code]) => code).sort(), Object.keys(ERRORS).sort());
});

test('versions are pinned', () => {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d/.test(String(version)),
  );
  assert.deepEqual(loose, []);
});

test('docs/connectors.md names every option of every connector, and no other', async () => {
  const documented = readFileSync(path.join(root, 'docs/connectors.md'), 'utf8');
  for (const [name, module] of await findConnectors()) {
    const section = documented.split(/^## /m).find((each) => each.startsWith(`${name}\n`)) ?? '';
    const rows = section.match(/^\| option .*\n(?:\|.*\n)*/m)?.[0].split('\n') ?? [];
    const named = rows.flatMap((row) => codeIn(row.split('|')[1] ?? ''));
    const { properties = {} } = z.toJSONSchema((await loadConnector(module)).options, { io: 'input' });
    assert.deepEqual(named.sort(), Object.keys(properties).sort(), name);
  }
});

/** The names in the first column of a table of docs/operations.md, without its head. */
function named(section: string): string[] {
  const documented = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
  const text = documented.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '';
  const [, , ...rows] = text.match(/^\|.*$/gm) ?? [];
  return rows.flatMap((row) => codeIn(row.split('|')[1] ?? '')).sort();
}

test('docs/operations.md names every step of the log, and no other', () => {
  const sources = files.filter((file) => file.startsWith('src/'));
  const steps = sources.flatMap((file) => {
    const values = readFileSync(path.join(root, file), 'utf8').matchAll(/\bstep: ([^,}]+)/g);
    return [...values].flatMap(([, value = '']) =>
      // The one step that is put together.
      value.includes('`breaker.$')
        ? ['breaker.opened', 'breaker.lasting', 'breaker.closed']
        : [...value.matchAll(/'([a-z]+\.[a-z]+)'/g)].map(([, step]) => step),
    );
  });
  assert.deepEqual(named('The log'), [...new Set(steps)].sort());
});

test('docs/operations.md names every metric, and no other', () => {
  const metrics = readFileSync(path.join(root, 'src/metrics.ts'), 'utf8').matchAll(/\bname: '(relay_[a-z_]+)'/g);
  const documented = named('Metrics').map((name) => name.replace(/\{.*/, ''));
  assert.deepEqual(documented, [...metrics].map(([, name]) => name).sort());
});

/** The texts of Markdown's code spans. */
function codeIn(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}
