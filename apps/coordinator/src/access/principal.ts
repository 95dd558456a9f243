import type { PrincipalView } from '@skipring/protocol';
import { HttpProblem } from '../http/problem.js';

/** Who sends a request. */
export type Principal = PrincipalView;

const noLimits = { requestsPerSecond: null, openJobs: null, workers: null, storageBytes: null };

/** The holder of the token in the coordinator's configuration. */
export const ROOT: Principal = { name: 'root', role: 'admin', limits: noLimits, expiresAt: null };
/** Everyone, where the configuration asks for no token. */
export const ANONYMOUS: Principal = { ...ROOT, name: 'anonymous' };

/**
 * A submitter changes what is its own, an admin everything.
 * @throws HttpProblem FORBIDDEN
 */
export function requireOwner(principal: Principal, owner: string, what: string): void {
  if (principal.role === 'admin' || principal.name === owner) return;
  throw new HttpProblem(
    'FORBIDDEN',
    `${what} belongs to ${owner}; only that token or an admin may`,
  );
}
