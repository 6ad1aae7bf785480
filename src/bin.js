#!/usr/bin/env node
// Plain JavaScript that old Nodes can read, so that they say what is wrong in one line.
import module from 'node:module';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `versive-relay needs Node.js 24 or newer; this is ${process.version}. Install it from https://nodejs.org\n`,
  );
  process.exit(1);
}
// Keeps what Node makes of our files between runs: a verb then starts in about half the time. Of TypeScript it keeps what is
// left without types, so that what takes them off, which has 10 MB, is not loaded: no TypeScript may come before this.
module.enableCompileCache();
await import('./main.ts');
