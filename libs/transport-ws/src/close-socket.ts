import { WebSocket } from 'ws';

/** Close codes of ring sockets. */
export const CLOSE_LEAVING = 1000;
export const CLOSE_ABORTED = 4000;

/**
 * Starts the closing handshake and breaks the socket if it is not complete within `graceMs`.
 * Resolves when it is closed.
 */
export function closeSocket(socket: WebSocket, code: number, graceMs: number): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.terminate();
    }, graceMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    // A paused socket would not see the peer's half of the handshake.
    socket.resume();
    if (socket.readyState === WebSocket.OPEN) socket.close(code);
  });
}
