/** What the relay is compared with: Fastify and svix' verify on the raw body, and nothing else. */
import Fastify from 'fastify';
import { Webhook } from 'svix';

const webhook = new Webhook(process.argv[2] ?? '');
const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/webhooks/versive', (request, reply) => {
  webhook.verify(request.body as Buffer, request.headers as Record<string, string>);
  reply.code(204).send();
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ url }));
