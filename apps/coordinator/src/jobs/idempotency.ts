import type { JobSpec, SweepSpec } from '@skipring/protocol';
import type { Idempotency } from '@skipring/redis';
import { z } from 'zod';
import { sha256 } from '../access/bearer.js';
import { HttpProblem } from '../http/problem.js';

export const idempotencyKeySchema = z.string().regex(/^[\x21-\x7e]{1,200}$/);

/**
 * What identifies a submission. Two bodies are the same when they mean the same job or sweep: defaults
 * written out or left away, fields in any order.
 * @throws HttpProblem IDEMPOTENCY_KEY_INVALID
 */
export function idempotencyOf(
  header: string | undefined,
  owner: string,
  spec: JobSpec | SweepSpec,
): Idempotency | null {
  if (header === undefined) return null;
  if (!idempotencyKeySchema.safeParse(header).success) {
    throw new HttpProblem(
      'IDEMPOTENCY_KEY_INVALID',
      `the Idempotency-Key is ${JSON.stringify(header.slice(0, 200))}, expected 1 to 200 ` +
        'printable ASCII characters without spaces',
    );
  }
  // The schema puts fields in its own order. One user's key is not another's.
  return { keyHash: sha256(`${owner} ${header}`), requestHash: sha256(JSON.stringify(spec)) };
}
