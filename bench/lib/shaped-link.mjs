import { connect, createServer } from 'node:net';

/** More than this on its way, and the sender is held up: two seconds of a gigabit. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;

/** Bytes in one direction: so many a second, each `delayMs` late. */
class ShapedDirection {
  #queue = [];
  #queuedBytes = 0;
  #freeAt = 0;
  #timer = null;

  constructor(from, to, { bytesPerSecond, delayMs }) {
    from.on('data', (data) => {
      const now = performance.now();
      this.#freeAt = Math.max(now, this.#freeAt) + (1e3 * data.length) / bytesPerSecond;
      this.#queue.push({ data, at: this.#freeAt + delayMs });
      this.#queuedBytes += data.length;
      if (this.#queuedBytes > MAX_QUEUED_BYTES) from.pause();
      this.#schedule(from, to);
    });
    const end = () => setTimeout(() => to.destroy(), delayMs + 50);
    from.on('end', end).on('close', end).on('error', end);
  }

  #schedule(from, to) {
    if (this.#timer !== null || this.#queue.length === 0) return;
    const wait = Math.max(0, this.#queue[0].at - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const now = performance.now();
      while (this.#queue.length > 0 && this.#queue[0].at <= now + 0.5) {
        const { data } = this.#queue.shift();
        this.#queuedBytes -= data.length;
        if (!to.destroyed) to.write(data);
      }
      if (from.isPaused() && this.#queuedBytes < MAX_QUEUED_BYTES / 2) from.resume();
      this.#schedule(from, to);
    }, wait);
  }
}

/**
 * A proxy on loopback whose connections have a limited rate and a delay in each direction: a slow link
 * in user space, where the kernel has no netem. Its clock ticks in milliseconds.
 */
export async function shapedLink(targetPort, shape) {
  const sockets = new Set();
  const server = createServer((incoming) => {
    const outgoing = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    incoming.setNoDelay(true);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    new ShapedDirection(incoming, outgoing, shape);
    new ShapedDirection(outgoing, incoming, shape);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
