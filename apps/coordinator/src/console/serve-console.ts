import type { HttpRequest, HttpResponse, Middleware } from '../http/messages.js';
import type { ConsoleFile } from './console-files.js';

const INDEX = '/index.html';
/** Paths of the API and of what watches the process: nothing of the console is ever served there. */
const NOT_CONSOLE = /^\/(api|health|metrics)(\/|$)/i;

/** Nothing from elsewhere, and nothing that is not a file of its own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the console's files, and its page at every address of it that a browser opens. It is open to
 * all: what it shows is fetched with a token.
 */
export function serveConsole(files: ReadonlyMap<string, ConsoleFile>): Middleware {
  return (request, response, next) => {
    const file = find(files, request);
    if (file === undefined) next();
    else send(file, request, response);
  };
}

function find(
  files: ReadonlyMap<string, ConsoleFile>,
  { method, originalUrl, headers }: HttpRequest,
): ConsoleFile | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const path = originalUrl.replace(/[?#].*$/s, '');
  if (NOT_CONSOLE.test(path)) return undefined;
  if (path === '/') return files.get(INDEX);
  const isPage = /^[^.]*$/.test(path) && (headers.accept ?? '').includes('text/html');
  return isPage ? files.get(INDEX) : files.get(path);
}

function send(file: ConsoleFile, request: HttpRequest, response: HttpResponse): void {
  const { type, cacheControl, etag, gzipped } = file;
  const isGzipped = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(
    String(request.headers['accept-encoding'] ?? ''),
  );
  const bytes = isGzipped ? gzipped : file.bytes;
  // A form of its own for each encoding (RFC 9110, 8.8.3.3).
  const tag = `"${etag}${isGzipped ? '-gzip' : ''}"`;
  const shared = {
    'cache-control': cacheControl,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
    etag: tag,
  };
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, shared);
    response.end();
    return;
  }
  response.writeHead(200, {
    ...shared,
    'content-type': type,
    'content-length': bytes.length,
    ...(isGzipped ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
