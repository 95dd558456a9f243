import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GATEWAY_PATH } from '@skipring/protocol';
import { WebSocketServer } from 'ws';
import { HttpProblem } from '../http/problem.js';
import { isBearer } from '../access/bearer.js';
import type { WorkerEvents } from '../scheduling/ports.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { WorkerConnection, type ConnectionOptions } from './worker-connection.js';

/** The largest message is an evaluation: a confusion matrix of at most 1000 x 1000 counts. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_CONNECTIONS = 1_024;

export interface GatewayOptions extends ConnectionOptions {
  /** Bearer token of workers; null asks for none. */
  readonly joinToken: string | null;
  /** Workers at a time. */
  readonly maxConnections?: number;
}

/** Where workers connect: WebSockets on the HTTP server's port. */
export class WorkerGateway {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  private readonly connections = new Set<WorkerConnection>();
  private isClosing = false;

  constructor(
    private readonly workers: WorkerEvents,
    private readonly options: GatewayOptions,
  ) {}

  get numConnections(): number {
    return this.connections.size;
  }

  /** Takes over the upgrade requests of a server. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      this.upgrade(request, socket, head);
    });
  }

  /** Ends all connections; workers keep their state and look for the next coordinator. */
  close(): void {
    this.isClosing = true;
    for (const connection of this.connections) {
      connection.goAway();
    }
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const problem = this.problemOf(request);
    if (problem !== null) {
      refuseUpgrade(socket, problem);
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new WorkerConnection(webSocket, this.workers, this.options);
      this.connections.add(connection);
      webSocket.once('close', () => this.connections.delete(connection));
    });
  }

  private problemOf(request: IncomingMessage): HttpProblem | null {
    const path = (request.url ?? '').replace(/[?#].*$/s, '');
    if (path !== GATEWAY_PATH) {
      return new HttpProblem('ROUTE_UNKNOWN', `no WebSocket is served at ${path}`);
    }
    const { joinToken, maxConnections = DEFAULT_MAX_CONNECTIONS } = this.options;
    if (joinToken !== null && !isBearer(request.headers.authorization, joinToken)) {
      return new HttpProblem('UNAUTHORIZED', 'send "Authorization: Bearer" with the join token');
    }
    if (this.isClosing) return new HttpProblem('SHUTTING_DOWN', 'the coordinator stops');
    if (this.connections.size >= maxConnections) {
      return new HttpProblem('TOO_MANY_WORKERS', `${maxConnections} workers are connected`);
    }
    return null;
  }
}
