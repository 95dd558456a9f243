import { connect } from 'node:net';

/** What a server said to `AUTH` and `PING`. */
export type PingAnswer = 'ready' | 'loading' | 'refused' | 'silent';

/**
 * Asks the server at 127.0.0.1:`port` whether it takes commands. `loading` means that it still
 * reads its data; `refused` that it does not take this password, so it is another server.
 */
export async function pingRedis(
  port: number,
  password: string,
  deadlineMs: number,
): Promise<PingAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = '';
    const settle = (answer: PingAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(deadlineMs, () => {
      settle('silent');
    });
    socket.once('error', () => {
      settle('silent');
    });
    socket.once('close', () => {
      settle('silent');
    });
    socket.once('connect', () => {
      socket.write(`AUTH ${password}\r\nPING\r\n`);
    });
    socket.setEncoding('utf8').on('data', (text: string) => {
      received = (received + text).slice(0, 4096);
      if (received.includes('+PONG\r\n')) settle('ready');
      else if (/-(?:LOADING|BUSY|MASTERDOWN)/.test(received)) settle('loading');
      else if (/-(?:WRONGPASS|ERR|NOAUTH)/.test(received)) settle('refused');
    });
  });
}
