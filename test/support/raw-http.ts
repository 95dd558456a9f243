import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const DEADLINE_MS = 20_000;

/**
 * Sends bytes as they are and returns the answer; the server must end the connection, so requests
 * that keep it open have to ask for that.
 */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  const socket = connect({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.setTimeout(DEADLINE_MS, () => {
    socket.destroy(new Error(`no end of the answer within ${DEADLINE_MS} ms`));
  });
  socket.write(bytes);
  await once(socket, 'close');
  return parse(Buffer.concat(chunks).toString('utf8'));
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (end < 0 || !Number.isInteger(status)) {
    throw new Error(`not an HTTP answer: ${JSON.stringify(text.slice(0, 200))}`);
  }
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  return { status, headers, body: text.slice(end + 4) };
}
