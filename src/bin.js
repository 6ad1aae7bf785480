#!/usr/bin/env node
// Plain JavaScript that old Nodes can read, so that they say what is wrong in one line.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `versive-relay needs Node.js 24 or newer; this is ${process.version}. Install it from https://nodejs.org\n`,
  );
  process.exit(1);
}
await import('./main.ts');
