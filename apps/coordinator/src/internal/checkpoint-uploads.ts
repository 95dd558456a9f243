import { CheckpointError, splitSnapshot, type DirectoryCheckpoints } from '@skipring/checkpoint';
import type { Fence } from '@skipring/protocol';
import type { RunStore } from '@skipring/redis';
import type { Logger } from 'pino';
import type { HttpRequest } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { readBody } from '../http/read-body.js';
import { isJobId } from '../jobs/job-id.js';
import { unknownJob } from '../jobs/jobs.service.js';
import type { Scheduler } from '../scheduling/ports.js';

/** Uploads are held in memory: no more than this many at a time. */
const MAX_UPLOADS = 4;

/** Takes checkpoints from workers of the generation that runs, and from no other. */
export class CheckpointUploads {
  private numUploads = 0;

  constructor(
    private readonly runs: RunStore,
    private readonly checkpoints: DirectoryCheckpoints,
    private readonly scheduler: Scheduler,
    private readonly maxBytes: number,
    private readonly log: Logger,
  ) {}

  /**
   * Resolves when the checkpoint is durable.
   * @throws HttpProblem JOB_UNKNOWN, ATTEMPT_STALE, CHECKPOINT_INVALID, BODY_TOO_LARGE; CheckpointError
   */
  async store(fence: Fence, step: number, request: HttpRequest): Promise<{ modelSha256: string }> {
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
    const record = isJobId(fence.jobId) ? await this.runs.get(fence.jobId) : null;
    if (record === null) throw unknownJob(fence.jobId);
    this.requireCurrent(fence);
    const bytes = await readBody(request, this.maxBytes);
    const { position } = splitSnapshot(bytes).manifest;
    if (position.step !== step) {
      throw new CheckpointError(
        'INVALID_SNAPSHOT',
        `the checkpoint is of step ${position.step}, expected ${step}`,
      );
    }
    // The generation may have ended while the body arrived.
    this.requireCurrent(fence);
    const stored = await this.checkpoints.save(fence, bytes, record.spec.checkpoints.keep);
    const { modelSha256, best } = stored;
    this.scheduler.checkpointStored(fence, { step, bytes: stored.bytes, modelSha256, best });
    this.log.info({ ...fence, step, bytes: stored.bytes, best }, 'checkpoint stored');
    return { modelSha256 };
  }

  private requireCurrent(fence: Fence): void {
    if (this.scheduler.isCurrent(fence)) return;
    throw new HttpProblem(
      'ATTEMPT_STALE',
      `attempt ${fence.attempt}, generation ${fence.generation} of job ${fence.jobId} does not run`,
    );
  }
}
