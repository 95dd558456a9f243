import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deliverySchema, type Delivery } from '@skipring/protocol';
import { until } from './until.js';

export interface Arrival {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly delivery: Delivery;
}

/** Takes deliveries of webhooks at any path, and keeps them. */
export class WebhookReceiver {
  readonly arrivals: Arrival[] = [];
  /** What is answered next at a path; 204 when nothing is left. */
  readonly answers = new Map<string, number[]>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { url: path = '', headers } = request;
        const delivery = deliverySchema.parse(JSON.parse(body));
        receiver.arrivals.push({ path, headers, body, delivery });
        const location = `${receiver.url}/elsewhere`;
        response.writeHead(receiver.answers.get(path)?.shift() ?? 204, { location }).end();
      });
    });
    return receiver;
  }

  /** At least so many deliveries of a state. */
  arrived(path: string, state: string, count = 1): Promise<Arrival[]> {
    return until(`${count} deliveries of ${state} at ${path}`, () => {
      const found = this.arrivals.filter(
        (one) => one.path === path && one.delivery.state === state,
      );
      return found.length >= count ? found : null;
    });
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
