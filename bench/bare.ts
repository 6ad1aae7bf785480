/**
 * What the relay is compared with. Fastify and svix' verify on the raw body, and nothing else; with `--native` the same
 * signature checked by Node's own HMAC instead. With addresses after that, the handler that people write: it posts the body
 * to each of them, and acknowledges when all have answered.
 *
 * Usage: node bench/bare.ts SECRET [--native] [URL …]
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseArgs } from 'node:util';
import Fastify from 'fastify';
import { Webhook } from 'svix';

const { values, positionals } = parseArgs({ options: { native: { type: 'boolean' } }, allowPositionals: true });
const [secret = '', ...urls] = positionals;
const webhook = new Webhook(secret);
const key = Buffer.from(secret.slice('whsec_'.length), 'base64');

/** @throws Error when these bytes were not signed */
function verifyNatively(body: Buffer, headers: Record<string, string>): void {
  const stamp = `${headers['svix-id']}.${headers['svix-timestamp']}.`;
  const right = `v1,${createHmac('sha256', key).update(stamp).update(body).digest('base64')}`;
  const given = headers['svix-signature'] ?? '';
  const fresh = Math.abs(Date.now() / 1000 - Number(headers['svix-timestamp'])) < 300;
  if (!fresh || given.length !== right.length || !timingSafeEqual(Buffer.from(given), Buffer.from(right))) {
    throw new Error('not signed');
  }
}

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/webhooks/versive', async (request, reply) => {
  const body = request.body as Buffer<ArrayBuffer>;
  const headers = request.headers as Record<string, string>;
  if (values.native) verifyNatively(body, headers);
  else webhook.verify(body, headers);
  await Promise.all(
    urls.map((url) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })),
  );
  return reply.code(204).send();
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ url }));
