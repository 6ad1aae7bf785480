/**
 * What the webhook lanes are compared with: a bare loop of `fetch` for each address, 32 calls at a time, as many as a lane has under way.
 *
 * Usage: node bench/fetch-loop.ts COUNT URL …
 */
import { bodyOf } from './events.ts';

const CONCURRENCY = 32;
const [count, ...urls] = process.argv.slice(2);
const body = Buffer.from(bodyOf());

async function loop(url: string): Promise<void> {
  let left = Number(count);
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const headers = { 'content-type': 'application/json', 'webhook-id': `msg_${left}` };
      const response = await fetch(url, { method: 'POST', headers, body });
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

console.log(JSON.stringify({ url: urls[0] }));
await Promise.all(urls.map(loop));
