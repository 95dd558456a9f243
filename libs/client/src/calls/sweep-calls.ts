import { sweepViewSchema, type SweepSpecInput, type SweepView } from '@skipring/protocol';
import { z } from 'zod';
import { newIdempotencyKey } from '../idempotency-key.js';
import { Calls } from './calls.js';
import { list, submission } from './requests.js';

/** Sweeps: many jobs from one spec. */
export class SweepCalls extends Calls {
  /** Submits a sweep; the key makes the call safe to repeat, as that of a job. */
  submitSweep(
    spec: SweepSpecInput,
    idempotencyKey: string = newIdempotencyKey(),
  ): Promise<SweepView> {
    return this.http.json(sweepViewSchema, '/sweeps', submission(spec, idempotencyKey));
  }

  sweep(id: string): Promise<SweepView> {
    return this.http.json(sweepViewSchema, `/sweeps/${encodeURIComponent(id)}`);
  }

  /** Newest first. */
  async sweeps(): Promise<SweepView[]> {
    return (await this.http.json(list(sweepViewSchema), '/sweeps')).items;
  }

  /** Submits no more trials and cancels those that are open. */
  cancelSweep(id: string): Promise<SweepView> {
    return this.http.json(sweepViewSchema, `/sweeps/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
    });
  }

  /** The JSON schema of a sweep, as this coordinator takes it. */
  sweepSchema(): Promise<Record<string, unknown>> {
    return this.http.json(z.record(z.string(), z.unknown()), '/schemas/sweep');
  }
}
