import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Both ends of one connection through a proxy. */
export interface Link {
  readonly client: Socket;
  readonly target: Socket;
}

/** Stands in front of a port of this machine; both ends of a connection go together. */
export class ForwardingProxy {
  /** What is done with a new connection. */
  onLink: (link: Link) => void = pipeBoth;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private targetPort: number,
  ) {
    server.on('connection', (client) => {
      const target = connect(this.targetPort, '127.0.0.1');
      this.keep(client, target);
      this.keep(target, client);
      this.onLink({ client, target });
    });
  }

  static async start(targetPort: number): Promise<ForwardingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ForwardingProxy(server, targetPort);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** New connections go to another port from now on, as behind a load balancer; open ones end. */
  switchTo(port: number): void {
    this.targetPort = port;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private keep(socket: Socket, other: Socket): void {
    this.sockets.add(socket);
    socket.setNoDelay();
    // A reset is the other side's death, which is what tests bring about.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      other.destroy();
    });
  }
}

function pipeBoth({ client, target }: Link): void {
  client.pipe(target);
  target.pipe(client);
}
