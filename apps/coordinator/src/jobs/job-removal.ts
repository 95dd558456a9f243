import type { Checkpoints } from '@skipring/checkpoint';
import type { JobRecord, RunStore } from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import type { ExportsService } from '../exports/exports.service.js';
import { HttpProblem } from '../http/problem.js';
import type { EventHub } from './event-hub.js';
import { isJobId } from './job-id.js';
import { unknownJob } from './jobs.service.js';

export interface JobRemovalParts {
  readonly store: RunStore;
  readonly checkpoints: Pick<Checkpoints, 'remove'>;
  readonly exports: Pick<ExportsService, 'remove'>;
  readonly hub: EventHub;
  readonly log: Logger;
}

/**
 * Removes jobs that have ended with all that there is of them. The first step takes the job out of all
 * lists and keeps a note of it, which the last one removes: what is cut off in between is not seen, and
 * goes on at a repetition or at the next start.
 */
export class JobRemoval {
  constructor(private readonly parts: JobRemovalParts) {}

  /** Goes on with what was cut off. */
  async recover(): Promise<void> {
    const { store, log } = this.parts;
    for (const id of await store.removals.ids()) {
      const record = await store.removals.get(id);
      if (record === null) continue;
      await this.finish(record).catch((error: unknown) => {
        log.warn({ jobId: id, err: error }, 'a job that was deleted is not gone yet');
      });
    }
  }

  /** Throws HttpProblem JOB_UNKNOWN, FORBIDDEN, JOB_NOT_ENDED; CheckpointError STORAGE_FAILED. */
  async remove(id: string, principal: Principal): Promise<void> {
    const { store, hub } = this.parts;
    const record = isJobId(id) ? ((await store.get(id)) ?? (await store.removals.get(id))) : null;
    if (record === null) throw unknownJob(id);
    requireOwner(principal, record.owner, `job ${id}`);
    const result = await store.removals.begin(id);
    if (result.outcome === 'refused') {
      const detail = `job ${id} is ${result.state}; cancel it before it is deleted`;
      throw new HttpProblem('JOB_NOT_ENDED', detail);
    }
    hub.publish(id);
    await this.finish(record);
  }

  private async finish(record: JobRecord): Promise<void> {
    const { store, checkpoints, exports, log } = this.parts;
    const { id } = record;
    await checkpoints.remove(id);
    await exports.remove(id);
    await store.removals.end(record);
    log.info({ jobId: id }, 'job deleted');
  }
}
