import { EventEmitter } from 'node:events';
import Fastify, { type FastifyInstance } from 'fastify';
import { RelayError } from '../errors.ts';
import { controlRoutes, type Demo, SERVICES } from './control.ts';
import { NotionStandIn } from './notion.ts';
import { SheetsStandIn } from './sheets.ts';
import { SlackStandIn } from './slack.ts';

export interface SandboxOptions {
  /** A free one by default. */
  port?: number;
}

/** Running stand-ins. */
export interface Sandbox {
  slack: SlackStandIn;
  notion: NotionStandIn;
  sheets: SheetsStandIn;
  /** `http://127.0.0.1:PORT`: the page, and the control API under `/sandbox`. */
  url: string;
  /** For `api_url` of the connectors. */
  apiUrl: { slack: string; notion: string; sheets: string };
  /** Gives the page a relay to show and to send to; undefined takes it away. */
  attach(demo: Demo | undefined): void;
  close(): Promise<void>;
}

/**
 * Starts the stand-ins on 127.0.0.1, with the page and the control API.
 *
 * @throws RelayError RELAY_PORT when the port cannot be had
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const standIns = { slack: new SlackStandIn(), notion: new NotionStandIn(), sheets: new SheetsStandIn() };
  standIns.slack.enforcePace = true;
  standIns.sheets.perMinute = 60;
  const attached = new EventEmitter<{ change: [] }>();
  let demo: Demo | undefined;

  const app = Fastify({
    // Larger than any service allows: it is for the stand-ins to refuse, in the service's own words.
    bodyLimit: 50_000_000,
    // The ranges of a sheet are part of its paths.
    routerOptions: { maxParamLength: 5000 },
    // Hanging calls and event streams end with the sandbox.
    forceCloseConnections: true,
  });
  const prefixes = { slack: '/slack/api', notion: '/notion', sheets: '/sheets' };
  for (const service of SERVICES) {
    const standIn = standIns[service];
    await app.register(
      async (scope) => {
        standIn.faults.install(scope);
        standIn.routes(scope);
      },
      { prefix: prefixes[service] },
    );
  }
  await app.register(controlRoutes({ standIns, attached, demo: () => demo }));

  const url = await listen(app, options.port ?? 0);
  return {
    ...standIns,
    url,
    apiUrl: { slack: `${url}/slack/api/`, notion: `${url}/notion`, sheets: `${url}/sheets/` },
    attach(next) {
      demo = next;
      attached.emit('change');
    },
    close: () => app.close(),
  };
}

async function listen(app: FastifyInstance, port: number): Promise<string> {
  try {
    return await app.listen({ host: '127.0.0.1', port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RelayError('RELAY_PORT', `the sandbox cannot listen on 127.0.0.1:${port}: ${code ?? String(error)}`, {
      fix: 'Leave --port away for a free port, or give another one.',
      cause: error,
    });
  }
}
