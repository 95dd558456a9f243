import { decodeSnapshot } from '@skipring/checkpoint';
import type { CoordinatorMessage, Fence, JobSpec } from '@skipring/protocol';
import type { CheckpointStore, TrainingState } from '@skipring/trainer';
import { CheckpointWriter, type TellOutcome } from './checkpoint-writer.js';
import type { CoordinatorHttp } from './coordinator-http.js';
import type { JobBatches } from './open-batches.js';
import type { UploadThread } from './upload-thread.js';

export type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;

/** What a session is opened for. */
export type JobToOpen = Pick<Prepare, 'fence' | 'spec' | 'dataSet'>;

export interface JobSessionParts {
  readonly jobId: string;
  /** What its followers are told of how it begins; null: nothing. */
  readonly notice?: string | null;
  readonly spec: JobSpec;
  readonly state: TrainingState;
  readonly batches: JobBatches;
  readonly numSamples: number;
  readonly numClasses: number;
  readonly download: Pick<CoordinatorHttp, 'checkpoint'>;
  readonly upload: Pick<UploadThread, 'enter' | 'store' | 'close'>;
}

/** What a job has on this worker from its first generation to its last: model, data and state. */
export class JobSession {
  private readonly writer: CheckpointWriter;

  constructor(readonly parts: JobSessionParts) {
    const { upload } = parts;
    this.writer = new CheckpointWriter((snapshot, signal) => upload.store(snapshot, signal));
  }

  /**
   * Begins a generation. Goes to a stored checkpoint that is ahead of the state: that of a new
   * session, or of one kept while the worker was cut off and others trained on.
   */
  async enter({ fence, checkpointStep }: Pick<Prepare, 'fence' | 'checkpointStep'>): Promise<void> {
    const { jobId, state, download, upload } = this.parts;
    upload.enter(fence);
    if (checkpointStep === null || checkpointStep <= state.position.step) return;
    state.restore(decodeSnapshot(await download.checkpoint(jobId, checkpointStep)));
  }

  /**
   * Stores checkpoints for a generation. What a stop asks for may be of one that was never entered: of a
   * restarted coordinator, which found this state here.
   * @param signal gives up what is saved at once
   */
  checkpoints(fence: Fence, tell: TellOutcome, signal?: AbortSignal): CheckpointStore {
    this.parts.upload.enter(fence);
    return {
      submit: (due) => {
        this.writer.submit(due, tell);
      },
      save: (due) => this.writer.save(due, tell, signal),
    };
  }

  async close(): Promise<void> {
    await this.writer.abandon();
    await this.parts.upload.close();
    await this.parts.batches.close();
    this.parts.state.engine.dispose();
  }
}
