import type { HttpRequest } from './messages.js';
import { HttpProblem } from './problem.js';

/**
 * A body in one piece, not longer than `maxBytes`. A sender that stops in the middle is cut off by
 * the server's request timeout.
 * @throws HttpProblem BODY_TOO_LARGE or BODY_INCOMPLETE
 */
export async function readBody(request: HttpRequest, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > maxBytes) throw tooLarge(declared, maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge('more', maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem('BODY_INCOMPLETE', `the connection ended after ${size} bytes`);
  }
  return Buffer.concat(chunks, size);
}

/** The rest of the body is not read, so the connection can't be used again. */
function tooLarge(given: string, maxBytes: number): HttpProblem {
  return new HttpProblem(
    'BODY_TOO_LARGE',
    `the body has ${given} bytes, expected at most ${maxBytes}`,
    [],
    { connection: 'close' },
  );
}
