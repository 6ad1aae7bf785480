// Plain JavaScript, as bin.js is and for its reason: a thread does not share the cache of the process.
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache();
await import('./thread-entry.ts');
flushCompileCache();
