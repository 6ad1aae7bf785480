/**
 * Stages the published package in dist/: JavaScript with its types, what the code reads beside itself, and a manifest
 * that points there. A checkout needs none of this. Usage: npm run build && npm publish ./dist
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', '.ci/tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
const beside = ['src/store/migrations', 'src/sandbox/page', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs'];
for (const each of [...beside, 'config.example.yaml', 'config.schema.json', '.env.example']) {
  cpSync(path.join(root, each), path.join(dist, each), { recursive: true });
}

const {
  private: _private,
  devDependencies,
  scripts,
  allowScripts,
  knip,
  exports,
  ...manifest
} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
manifest.exports = {
  './connector': { types: './src/connector.d.ts', default: './src/connector.js' },
  './package.json': './package.json',
};
writeFileSync(path.join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
