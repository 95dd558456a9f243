import { createHash, timingSafeEqual } from 'node:crypto';
import { API_PREFIX } from '@skipring/protocol';
import type { Middleware } from './messages.js';
import { HttpProblem } from './problem.js';

export interface Tokens {
  /** Of users; null asks for none. */
  readonly api: string | null;
  /** Of workers; null asks for none. */
  readonly join: string | null;
}

/** Open to all: they tell nothing about jobs, data or workers. */
const PUBLIC = [/^\/health\//, new RegExp(`^${API_PREFIX}/(openapi\\.json|docs)(/|$)`)];
const INTERNAL = `${API_PREFIX}/internal/`;

/** Asks for the join token on internal routes, for none on public ones, for the API token elsewhere. */
export function authentication(tokens: Tokens): Middleware {
  return (request, _, next) => {
    const path = request.originalUrl.replace(/[?#].*$/s, '').toLowerCase();
    if (PUBLIC.some((pattern) => pattern.test(path))) {
      next();
      return;
    }
    const isInternal = path.startsWith(INTERNAL);
    const expected = isInternal ? tokens.join : tokens.api;
    next(
      expected === null || isBearer(request.headers.authorization, expected)
        ? undefined
        : new HttpProblem(
            'UNAUTHORIZED',
            `send "Authorization: Bearer" with the ${isInternal ? 'join' : 'API'} token`,
            [],
            { 'www-authenticate': 'Bearer realm="skipring"' },
          ),
    );
  };
}

/** Whether a header carries this token. Takes the same time wherever they differ. */
export function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
