import type { HttpRequest } from './messages.js';
import { HttpProblem } from './problem.js';

/**
 * A body in one piece, not longer than `maxBytes`.
 * @param deadlineMs for the whole body; without one the server's request timeout ends a slow sender
 * @throws HttpProblem BODY_TOO_LARGE, BODY_INCOMPLETE or BODY_TOO_SLOW
 */
export async function readBody(
  request: HttpRequest,
  maxBytes: number,
  deadlineMs: number | null = null,
): Promise<Uint8Array> {
  if (deadlineMs === null) return read(request, maxBytes);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(tooSlow(deadlineMs));
    }, deadlineMs);
  });
  const reading = read(request, maxBytes);
  // After the deadline nobody waits for it.
  reading.catch(() => undefined);
  return Promise.race([reading, deadline]).finally(() => {
    clearTimeout(timer);
  });
}

async function read(request: HttpRequest, maxBytes: number): Promise<Uint8Array> {
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

function tooSlow(deadlineMs: number): HttpProblem {
  return new HttpProblem('BODY_TOO_SLOW', `the body did not arrive within ${deadlineMs} ms`, [], {
    connection: 'close',
  });
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
