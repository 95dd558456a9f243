import type { Checkpoints } from '@skipring/checkpoint';
import type { CheckpointView } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import { HttpProblem } from '../http/problem.js';

/** What training has stored, for users. */
export class Models {
  constructor(private readonly store: Checkpoints) {}

  /** Newest first. */
  async checkpoints(jobId: string): Promise<CheckpointView[]> {
    return (await this.store.list(jobId)).map(
      ({ step, epoch, createdAt, bytes, modelSha256, best, path }) => ({
        step,
        epoch,
        createdAt,
        bytes,
        modelSha256,
        best,
        path,
      }),
    );
  }

  /**
   * The trained model as a safetensors file, verified: of the last step when the job succeeded, else
   * of the checkpoint that evaluated best, else of the newest.
   * @throws HttpProblem MODEL_NOT_READY while there is none
   */
  async model(job: JobRecord): Promise<{ bytes: Uint8Array; sha256: string }> {
    const { step, sha256 } = await this.chosen(job);
    return { bytes: await this.store.readModel(job.id, step), sha256 };
  }

  /**
   * Which checkpoint holds a job's model.
   * @throws HttpProblem MODEL_NOT_READY while there is none
   */
  async chosen(job: JobRecord): Promise<{ step: number; sha256: string }> {
    const all = await this.store.list(job.id);
    const chosen =
      all.find(({ modelSha256 }) => modelSha256 === job.modelSha256) ??
      all.find(({ best }) => best) ??
      all[0];
    if (chosen === undefined) {
      throw new HttpProblem(
        'MODEL_NOT_READY',
        `job ${job.id} is ${job.state} and has no checkpoint yet`,
      );
    }
    return { step: chosen.step, sha256: chosen.modelSha256 };
  }
}
