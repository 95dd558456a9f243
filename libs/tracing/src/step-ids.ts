import { createHash } from 'node:crypto';
import type { Fence } from '@skipring/protocol';

/** As W3C Trace Context writes them: 32 and 16 hexadecimal digits. */
export interface StepIds {
  readonly traceId: string;
  /** Of the span that spans the whole step. */
  readonly spanId: string;
}

/**
 * A function of what every process knows of a step, so that no message carries an id. A step that is
 * taken again in a later generation or attempt is another trace.
 */
export function stepIds({ jobId, attempt, generation }: Fence, step: number): StepIds {
  const digest = createHash('sha256')
    .update(JSON.stringify([jobId, attempt, generation, step]))
    .digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}
