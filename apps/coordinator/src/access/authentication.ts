import { API_PREFIX } from '@skipring/protocol';
import type { HttpRequest, Middleware } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { bearerOf, isBearer } from './bearer.js';
import { ANONYMOUS, ROOT, type Principal } from './principal.js';
import type { RateLimits } from './rate-limits.js';

export interface Tokens {
  /** Of the configuration; null asks users for none. */
  readonly api: string | null;
  /** Of workers; null asks for none. */
  readonly join: string | null;
}

/** Finds the holder of a stored token. */
export type Recognise = (token: string) => Promise<Principal | null>;

/** Open to all: they tell nothing about jobs, data or workers. */
const PUBLIC = [/^\/health\//, new RegExp(`^${API_PREFIX}/(openapi\\.json|docs)(/|$)`)];
const INTERNAL = `${API_PREFIX}/internal/`;

/**
 * Asks for the join token on internal routes, for none on public ones, for an API token elsewhere,
 * before anything else of a request is read. Then the request has its principal.
 */
export function authentication(
  tokens: Tokens,
  recognise: Recognise,
  limits: RateLimits,
): Middleware {
  return (request, _, next) => {
    const path = request.originalUrl.replace(/[?#].*$/s, '').toLowerCase();
    if (PUBLIC.some((pattern) => pattern.test(path))) {
      next();
      return;
    }
    if (path.startsWith(INTERNAL)) {
      const isWorker = tokens.join === null || isBearer(request.headers.authorization, tokens.join);
      next(isWorker ? undefined : unauthorized('the join token'));
      return;
    }
    identify(request, tokens.api, recognise)
      .then(async (principal) => {
        request.principal = principal;
        await limits.consume(principal);
      })
      .then(() => {
        next();
      }, next);
  };
}

async function identify(
  { headers }: HttpRequest,
  apiToken: string | null,
  recognise: Recognise,
): Promise<Principal> {
  const given = bearerOf(headers.authorization);
  if (apiToken === null) return (given === null ? null : await recognise(given)) ?? ANONYMOUS;
  if (isBearer(headers.authorization, apiToken)) return ROOT;
  const principal = given === null ? null : await recognise(given);
  if (principal === null) throw unauthorized('an API token that is valid');
  return principal;
}

function unauthorized(what: string): HttpProblem {
  return new HttpProblem('UNAUTHORIZED', `send "Authorization: Bearer" with ${what}`, [], {
    'www-authenticate': 'Bearer realm="skipring"',
  });
}
