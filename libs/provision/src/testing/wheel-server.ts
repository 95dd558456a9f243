import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server sends a file; each request takes the next behaviour, then they are sent whole. */
export type Behaviour =
  | { readonly kind: 'break-after'; readonly bytes: number }
  | { readonly kind: 'stall-after'; readonly bytes: number }
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'status'; readonly status: number };

/** What a request for a file asked for. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
}

/** A simple index (PEP 691) over HTTP on loopback that can misbehave. */
export interface WheelServer {
  readonly indexUrl: string;
  readonly fileUrl: (name: string) => URL;
  readonly requests: SeenRequest[];
  readonly behaviours: Behaviour[];
  close(): Promise<void>;
}

/** Serves `files` (name to content); their pages state the SHA-256 that `sha256Of` gives. */
export async function startWheelServer(
  files: Readonly<Record<string, Buffer>>,
  sha256Of: (name: string) => string,
): Promise<WheelServer> {
  const requests: SeenRequest[] = [];
  const behaviours: Behaviour[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/simple/')) {
      sendPage(response, Object.keys(files), sha256Of);
      return;
    }
    const content = files[path.replace('/files/', '')];
    requests.push({ path, range: request.headers.range });
    if (content === undefined) response.writeHead(404).end();
    else sendFile(request, response, content, behaviours.shift());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    indexUrl: `${origin}/simple/`,
    fileUrl: (name) => new URL(`/files/${name}`, origin),
    requests,
    behaviours,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendPage(
  response: ServerResponse,
  names: readonly string[],
  sha256Of: (name: string) => string,
): void {
  const files = names.map((filename) => ({
    filename,
    url: `../../files/${filename}`,
    hashes: { sha256: sha256Of(filename) },
  }));
  response
    .writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' })
    .end(JSON.stringify({ meta: { 'api-version': '1.1' }, files }));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  behaviour: Behaviour | undefined,
): void {
  if (behaviour?.kind === 'status') {
    response.writeHead(behaviour.status).end();
    return;
  }
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = behaviour?.kind === 'ignore-range' ? 0 : Number(range?.[1] ?? 0);
  const rest = content.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': rest.length,
    ...(start > 0
      ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
      : {}),
  });
  if (behaviour?.kind === 'break-after') {
    // The pause lets the client read what was sent: an abort discards what it has only buffered.
    response.write(rest.subarray(0, behaviour.bytes), () => {
      setTimeout(() => response.destroy(), 50);
    });
  } else if (behaviour?.kind === 'stall-after') {
    response.write(rest.subarray(0, behaviour.bytes));
  } else {
    response.end(rest);
  }
}
