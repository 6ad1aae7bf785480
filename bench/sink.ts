/**
 * A webhook receiver that answers 204 at once, and notes when. `GET /count` says how many came; `GET /between?from=A&to=B`
 * waits for the arrival of number B, and gives the milliseconds since that of number A. It reads plain sockets: what it
 * takes of the machine would be missing in what is measured.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const END = Buffer.from('\r\n\r\n');
const times: number[] = [];
const waiting = new Set<() => void>();

const server = createServer({ noDelay: true }, (socket) => {
  let chunks: Buffer[] = [];
  let missing = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    // Only the head of a request is looked at.
    if (missing > 0) {
      missing -= chunk.length;
      if (missing === 0) arrived(socket);
      return;
    }
    chunks.push(chunk);
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    const head = bytes.indexOf(END);
    if (head < 0) return;
    chunks = [];
    const text = bytes.toString('latin1', 0, head);
    if (text.startsWith('GET ')) return ask(socket, text.slice(4, text.indexOf(' ', 4)));
    missing = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0) - (bytes.length - head - END.length);
    if (missing === 0) arrived(socket);
  });
});

function arrived(socket: Socket): void {
  socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  times.push(performance.now());
  for (const look of waiting) look();
}

function ask(socket: Socket, path: string): void {
  const { pathname, searchParams } = new URL(path, 'http://sink');
  const answer = (figure: number) => {
    const text = String(figure);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
  };
  if (pathname === '/count') {
    answer(times.length);
    return;
  }
  const [from = 0, to = 0] = ['from', 'to'].map((name) => Number(searchParams.get(name)));
  const look = () => {
    if (times.length < to) return;
    waiting.delete(look);
    answer((times[to - 1] ?? 0) - (times[from - 1] ?? 0));
  };
  waiting.add(look);
  look();
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
