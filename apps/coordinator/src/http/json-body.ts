import type { HttpRequest, Middleware } from './messages.js';
import { HttpProblem } from './problem.js';
import { readBody } from './read-body.js';

/** Largest JSON body: a job spec is a few kilobytes, with a model of 400 layers in it 300. */
export const MAX_JSON_BYTES = 512 * 1024;

/** A job spec with a topology of its own is some ten levels deep. */
const MAX_DEPTH = 64;
/** From the end of the headers to the end of the body. */
const BODY_DEADLINE_MS = 15_000;

/** Reads JSON bodies of POST and PATCH requests within a size limit; other methods keep their stream. */
export const jsonBody: Middleware = (request, _, next) => {
  if (request.method !== 'POST' && request.method !== 'PATCH') {
    next();
    return;
  }
  readJson(request).then((body) => {
    request.body = body;
    next();
  }, next);
};

async function readJson(request: HttpRequest): Promise<unknown> {
  const bytes = await readBody(request, MAX_JSON_BYTES, BODY_DEADLINE_MS);
  if (bytes.length === 0) return undefined;
  requireJson(request.headers['content-type'], request.headers['content-encoding']);
  return parseJson(bytes);
}

function requireJson(contentType = '(missing)', encoding = 'identity'): void {
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)) {
    throw new HttpProblem(
      'CONTENT_TYPE_UNSUPPORTED',
      `the content type is ${contentType.slice(0, 100)}, expected application/json`,
    );
  }
  if (encoding !== 'identity') {
    throw new HttpProblem(
      'CONTENT_TYPE_UNSUPPORTED',
      `the content encoding is ${encoding.slice(0, 100)}, expected none`,
    );
  }
}

function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem('BODY_NOT_JSON', 'the body is not JSON: it is not UTF-8');
  }
  if (depthOf(text) > MAX_DEPTH) {
    throw new HttpProblem('BODY_NOT_JSON', `the body is nested more than ${MAX_DEPTH} deep`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HttpProblem('BODY_NOT_JSON', `the body is not JSON: ${why.slice(0, 200)}`);
  }
}

/** How deep arrays and objects are nested in JSON text: what walks a value later has a stack. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString && character === '\\') index += 1;
    else if (character === '"') isInString = !isInString;
    else if (!isInString && (character === '{' || character === '[')) depth += 1;
    else if (!isInString && (character === '}' || character === ']')) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
