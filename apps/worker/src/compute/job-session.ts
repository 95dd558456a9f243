import { decodeSnapshot, encodeSnapshot, modelSha256 } from '@skipring/checkpoint';
import type { CoordinatorMessage, Fence, JobSpec } from '@skipring/protocol';
import type { CheckpointStore, Snapshot, TrainingState } from '@skipring/trainer';
import type { CoordinatorHttp } from './coordinator-http.js';
import type { JobBatches } from './open-batches.js';

export type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;

export interface JobSessionParts {
  readonly jobId: string;
  readonly spec: JobSpec;
  readonly state: TrainingState;
  readonly batches: JobBatches;
  readonly numSamples: number;
  readonly numClasses: number;
  readonly transfer: Pick<CoordinatorHttp, 'checkpoint' | 'storeCheckpoint'>;
}

/** What a job has on this worker from its first generation to its last: model, data and state. */
export class JobSession {
  constructor(readonly parts: JobSessionParts) {}

  /**
   * Goes to a stored checkpoint that is ahead of the state: that of a new session, or of one kept
   * while the worker was cut off and others trained on.
   */
  async catchUp(checkpointStep: number | null): Promise<void> {
    const { jobId, state, transfer } = this.parts;
    if (checkpointStep === null || checkpointStep <= state.position.step) return;
    state.restore(decodeSnapshot(await transfer.checkpoint(jobId, checkpointStep)));
  }

  /** Checkpoints of one generation: the fence keeps a stale worker from storing any. */
  checkpoints(fence: Fence): CheckpointStore {
    return { save: (snapshot) => this.store(fence, snapshot) };
  }

  async close(): Promise<void> {
    await this.parts.batches.close();
    this.parts.state.engine.dispose();
  }

  private async store(fence: Fence, snapshot: Snapshot): Promise<{ modelSha256: string }> {
    const { step } = snapshot.position;
    await this.parts.transfer.storeCheckpoint(fence, step, encodeSnapshot(snapshot));
    return { modelSha256: modelSha256(snapshot.tensors) };
  }
}
