/** A sink in the process of the benchmark itself, which sees on one clock when an interview was posted and when it came. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const arrivals = new Map<string, (time: number) => void>();

/** Resolves with the time at which an interview has arrived at the healthy endpoint. */
export function arrivalOf(interview: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  arrivals.set(interview, resolve);
  return promise;
}

/** `healthy` answers at once; `dead` takes a request, and never answers. */
export async function startLocalSink(): Promise<{ healthy: string; dead: string; close: () => void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/dead') return;
      const id: string = JSON.parse(Buffer.concat(chunks).toString()).interview.id;
      arrivals.get(id)?.(performance.now());
      arrivals.delete(id);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { healthy: `${url}/healthy`, dead: `${url}/dead`, close };
}
