import { decodeSnapshot, encodeSnapshot, modelSha256 } from '@skipring/checkpoint';
import type { CoordinatorMessage, Fence, JobSpec } from '@skipring/protocol';
import { TrainingState, type CheckpointStore, type Snapshot } from '@skipring/trainer';
import type { CoordinatorHttp } from './coordinator-http.js';
import { compileJob } from './compile-job.js';
import { openBatches, type JobBatches } from './open-batches.js';

export type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;

/** What a job has on this worker from its first generation to its last: model, data and state. */
export class JobSession {
  private constructor(
    readonly jobId: string,
    readonly spec: JobSpec,
    readonly state: TrainingState,
    readonly batches: JobBatches,
    readonly numSamples: number,
    readonly numClasses: number,
    private readonly http: CoordinatorHttp,
  ) {}

  /** Loads the data, compiles the model and takes the state from the checkpoint or the seed. */
  static async open(
    prepare: Prepare,
    http: CoordinatorHttp,
    cacheDirectory: string,
  ): Promise<JobSession> {
    const { spec, dataSet, fence } = prepare;
    const batches = await openBatches(spec, dataSet, http, cacheDirectory);
    try {
      const state = new TrainingState(compileJob(spec, dataSet.manifest));
      if (prepare.checkpointStep !== null) {
        state.restore(decodeSnapshot(await http.checkpoint(fence.jobId, prepare.checkpointStep)));
      }
      const { splits, classes } = dataSet.manifest;
      return new JobSession(
        fence.jobId,
        spec,
        state,
        batches,
        splits.train.samples,
        classes.length,
        http,
      );
    } catch (error) {
      await batches.close();
      throw error;
    }
  }

  /** Checkpoints of one generation: the fence keeps a stale rank 0 from storing any. */
  checkpoints(fence: Fence): CheckpointStore {
    return { save: (snapshot) => this.store(fence, snapshot) };
  }

  async close(): Promise<void> {
    await this.batches.close();
    this.state.engine.dispose();
  }

  private async store(fence: Fence, snapshot: Snapshot): Promise<{ modelSha256: string }> {
    await this.http.storeCheckpoint(fence, snapshot.position.step, encodeSnapshot(snapshot));
    return { modelSha256: modelSha256(snapshot.tensors) };
  }
}
