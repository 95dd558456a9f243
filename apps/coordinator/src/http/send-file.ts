import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { parseRange } from './file-range.js';
import type { HttpRequest, HttpResponse } from './messages.js';

/** Sends a file that never changes, or the range of it that was asked for. */
export async function sendFile(
  request: HttpRequest,
  response: HttpResponse,
  path: string,
  tag: string,
): Promise<void> {
  const { size } = await stat(path);
  const range = parseRange(request.headers.range, size);
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    etag: `"${tag}"`,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // A reader that leaves in the middle is no error of the server.
  await pipeline(createReadStream(path, { start, end }), response).catch(() => {
    response.destroy();
  });
}
