import {
  jobPageSchema,
  jobSummaryPageSchema,
  jobViewSchema,
  MAX_LISTED,
  type JobPage,
  type JobSpecInput,
  type JobState,
  type JobSummary,
  type JobSummaryPage,
  type JobView,
} from '@skipring/protocol';
import { z } from 'zod';
import { newIdempotencyKey } from '../idempotency-key.js';
import { Calls } from './calls.js';
import { submission } from './requests.js';

/** `cursor` is the `nextCursor` of the page before. */
interface JobListQuery {
  readonly state?: JobState;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Jobs: to submit, list and halt them. */
export class JobCalls extends Calls {
  /**
   * Submits a job. The key makes the call safe to repeat: a lost answer never becomes a second job.
   */
  submit(spec: JobSpecInput, idempotencyKey: string = newIdempotencyKey()): Promise<JobView> {
    return this.http.json(jobViewSchema, '/jobs', submission(spec, idempotencyKey));
  }

  job(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}`);
  }

  /** A page of at most 200 jobs, newest first. */
  jobs(query: JobListQuery = {}): Promise<JobPage> {
    return this.http.json(jobPageSchema, '/jobs', { query: { ...query } });
  }

  /** A page of at most 10,000 jobs, newest first, without what is long of each. */
  jobSummaries(query: JobListQuery = {}): Promise<JobSummaryPage> {
    return this.http.json(jobSummaryPageSchema, '/jobs', { query: { view: 'summary', ...query } });
  }

  /** All jobs, or all in a state, newest first, fetched page by page. */
  async *eachJob(
    query: Omit<JobListQuery, 'limit'> = {},
  ): AsyncGenerator<JobSummary, void, undefined> {
    let cursor = query.cursor;
    do {
      const from = cursor === undefined ? {} : { cursor };
      const page = await this.jobSummaries({ ...query, ...from, limit: MAX_LISTED.summary });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  cancel(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
    });
  }

  /** A job that runs stores a checkpoint and frees its workers. */
  pause(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/pause`, {
      method: 'POST',
    });
  }

  /** Continues a paused, cancelled or failed job from its last checkpoint. */
  resume(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/resume`, {
      method: 'POST',
    });
  }

  /** Deletes a job that has ended, with its histories, checkpoints and exports. */
  async deleteJob(id: string): Promise<void> {
    await this.http.send(`/jobs/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** The JSON schema of a job spec, as this coordinator takes it. */
  jobSchema(): Promise<Record<string, unknown>> {
    return this.http.json(z.record(z.string(), z.unknown()), '/schemas/job');
  }
}
