import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** A first set-up behind a slow line may take long. */
const DEADLINE_MS = 60 * 60_000;

/**
 * Runs `body` while no other set-up of the same checkout runs. The lock is a socket with a name in
 * Linux's abstract name space: the kernel gives it to one process at a time and takes it back when
 * that process ends in any way, so it cannot be left behind. Those who wait are connected to it.
 */
export async function withCheckoutLock(root, onWait, body) {
  const digest = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 24);
  const name = `\0skipring-setup-${digest}`;
  const deadline = Date.now() + DEADLINE_MS;
  let told = false;
  for (;;) {
    const release = await tryListen(name);
    if (release !== undefined) {
      try {
        return await body();
      } finally {
        release();
      }
    }
    if (!told) onWait();
    told = true;
    const leftMs = deadline - Date.now();
    if (leftMs <= 0)
      throw new Error(`another set-up of ${root} has not ended in ${DEADLINE_MS} ms`);
    await closed(name, leftMs);
  }
}

/** A function that gives the name back, or `undefined` when another process has it. */
async function tryListen(name) {
  const waiting = new Set();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => waiting.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      });
    });
  });
}

/** Settles when the process that has the name gives it back or ends, or after `timeoutMs`. */
async function closed(name, timeoutMs) {
  await new Promise((resolve) => {
    const socket = connect(name);
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      // The other may have let the name go between our two attempts: no busy loop.
      setTimeout(resolve, 50);
    });
    socket.resume();
  });
}
