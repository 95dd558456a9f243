import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { LOOPBACK } from './web-socket-group.js';

/** A TCP relay in front of a listener, to damage or to stop what the listener's rank sends. */
export interface FaultyLink {
  readonly port: number;
  /** Flips one bit of the byte at this offset of what flows to the dialler. */
  flipBitAt(offset: number): void;
  /** Forwards nothing more, in either direction, and keeps the sockets open. */
  freeze(): void;
  close(): Promise<void>;
}

export async function faultyLink(targetPort: number): Promise<FaultyLink> {
  const sockets = new Set<Socket>();
  let flipOffset = Infinity;
  let frozen = false;
  const server = createServer((dialler) => {
    const target = connect(targetPort, LOOPBACK);
    let offset = 0;
    for (const [from, to] of [
      [dialler, target],
      [target, dialler],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    dialler.on('data', (bytes) => {
      if (!frozen) target.write(bytes);
    });
    target.on('data', (bytes: Buffer) => {
      const at = flipOffset - offset;
      if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 16;
      offset += bytes.length;
      if (!frozen) dialler.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    flipBitAt: (offset) => {
      flipOffset = offset;
    },
    freeze: () => {
      frozen = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
