import { CheckpointError, splitSnapshot, type Checkpoints } from '@skipring/checkpoint';
import type { CoordinatorMetrics } from '@skipring/metrics';
import type { Fence } from '@skipring/protocol';
import type { JobRecord, RunStore, StoredBytes } from '@skipring/redis';
import type { Logger } from 'pino';
import type { FaultDesk } from '../faults/fault-desk.js';
import type { HttpRequest } from '../http/messages.js';
import { problemOf } from '../http/problem-of.js';
import { HttpProblem } from '../http/problem.js';
import { readBody } from '../http/read-body.js';
import { isJobId } from '../jobs/job-id.js';
import { unknownJob } from '../jobs/jobs.service.js';
import type { Scheduler } from '../scheduling/ports.js';

/** Uploads are held in memory: no more than this many at a time. */
const MAX_UPLOADS = 4;

export interface CheckpointUploadParts {
  readonly runs: RunStore;
  readonly stored: Pick<StoredBytes, 'noteJob'>;
  readonly checkpoints: Checkpoints;
  readonly scheduler: Scheduler;
  readonly metrics: Pick<CoordinatorMetrics, 'countCheckpointUpload'>;
  readonly maxBytes: number;
  readonly faults: Pick<FaultDesk, 'beforeCheckpoint'> | null;
  readonly log: Logger;
}

/** Takes checkpoints from workers of the generation that runs, and from no other. */
export class CheckpointUploads {
  private numUploads = 0;

  constructor(private readonly parts: CheckpointUploadParts) {}

  /**
   * Resolves when the checkpoint is durable.
   * @throws HttpProblem JOB_UNKNOWN, ATTEMPT_STALE, CHECKPOINT_INVALID, BODY_TOO_LARGE; CheckpointError
   */
  async store(fence: Fence, step: number, request: HttpRequest): Promise<{ modelSha256: string }> {
    const { metrics } = this.parts;
    try {
      const stored = await this.storeInTurn(fence, step, request);
      metrics.countCheckpointUpload('stored');
      return stored;
    } catch (error) {
      metrics.countCheckpointUpload(isRefusal(error) ? 'refused' : 'failed');
      throw error;
    }
  }

  private async storeInTurn(
    fence: Fence,
    step: number,
    request: HttpRequest,
  ): Promise<{ modelSha256: string }> {
    if (this.numUploads >= MAX_UPLOADS) {
      throw new HttpProblem('TOO_MANY_UPLOADS', `${MAX_UPLOADS} uploads are in progress`, [], {
        'retry-after': '1',
      });
    }
    this.numUploads += 1;
    try {
      return await this.receive(fence, step, request);
    } finally {
      this.numUploads -= 1;
    }
  }

  private async receive(
    fence: Fence,
    step: number,
    request: HttpRequest,
  ): Promise<{ modelSha256: string }> {
    const { runs, checkpoints, scheduler, maxBytes, faults, log } = this.parts;
    const record = isJobId(fence.jobId) ? await runs.get(fence.jobId) : null;
    if (record === null) throw unknownJob(fence.jobId);
    this.requireCurrent(fence);
    const bytes = await readBody(request, maxBytes);
    const { position } = splitSnapshot(bytes).manifest;
    if (position.step !== step) {
      throw new CheckpointError(
        'INVALID_SNAPSHOT',
        `the checkpoint is of step ${position.step}, expected ${step}`,
      );
    }
    // The generation may have ended while the body arrived.
    this.requireCurrent(fence);
    faults?.beforeCheckpoint(fence, step);
    const stored = await checkpoints.save(fence, bytes, record.spec.checkpoints);
    const { modelSha256, best } = stored;
    await this.noteBytes(record);
    scheduler.checkpointStored(fence, { step, bytes: stored.bytes, modelSha256, best });
    log.info({ ...fence, step, bytes: stored.bytes, best }, 'checkpoint stored');
    return { modelSha256 };
  }

  /** For its owner's quota. A note that is lost is made good by the next. */
  private async noteBytes({ id, owner }: JobRecord): Promise<void> {
    const { stored, checkpoints, log } = this.parts;
    const all = await checkpoints.list(id);
    const bytes = all.reduce((sum, entry) => sum + entry.bytes, 0);
    await stored.noteJob(owner, id, bytes).catch((error: unknown) => {
      log.warn({ jobId: id, err: error }, 'the bytes of checkpoints could not be noted');
    });
  }

  private requireCurrent(fence: Fence): void {
    if (this.parts.scheduler.isCurrent(fence)) return;
    throw new HttpProblem(
      'ATTEMPT_STALE',
      `attempt ${fence.attempt}, generation ${fence.generation} of job ${fence.jobId} does not run`,
    );
  }
}

/** The sender's doing, or to be sent again, and not a fault of the store. */
function isRefusal(error: unknown): boolean {
  const { code, status } = problemOf(error);
  return code === 'TOO_MANY_UPLOADS' || status < 500;
}
