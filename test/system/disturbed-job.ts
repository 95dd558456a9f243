import type { JobSpecInput, JobView } from '@skipring/protocol';
import { expect } from 'vitest';
import { addGlyphs, smallJob } from '../support/cluster.js';
import { JobWatch } from './job-watch.js';
import type { ProcessCluster } from './process-cluster.js';

// Both are prime: no batch size divides them. An epoch of 7 steps ends with one of 23 samples, which
// fill one lane, half of another and none of the last three.
export const NUM_TRAIN = 383;
const NUM_TEST = 89;
const LANES = { count: 5, size: 12 };
export const STEPS_PER_EPOCH = 7;
export const CHECKPOINT_STEPS = 10;

export type DisturbedJobOptions = Partial<Pick<JobSpecInput, 'model' | 'lanes' | 'sync'>> & {
  readonly numEpochs?: number;
  readonly numTrain?: number;
  readonly numTest?: number;
  /** Longer than usual, for a job of many steps. */
  readonly endDeadlineMs?: number;
};

/** A job to disturb, and what it must come to all the same. */
export class DisturbedJob {
  private constructor(
    private readonly cluster: ProcessCluster,
    readonly spec: JobSpecInput,
    readonly totalSteps: number,
    private readonly undisturbed: JobView,
    private readonly endDeadlineMs?: number,
  ) {}

  /** Runs the job once with nothing in its way, on all workers of the cluster. */
  static async prepare(
    cluster: ProcessCluster,
    {
      numEpochs = 4,
      numTrain = NUM_TRAIN,
      numTest = NUM_TEST,
      endDeadlineMs,
      ...changes
    }: DisturbedJobOptions = {},
  ): Promise<DisturbedJob> {
    const dataSet = await addGlyphs(cluster.client, numTrain, numTest);
    const spec = smallJob(dataSet, {
      training: { epochs: numEpochs, learningRate: 0.05, warmupSteps: 2 },
      lanes: LANES,
      checkpoints: { everySteps: CHECKPOINT_STEPS },
      ...changes,
    });
    const { id } = await cluster.client.submit(spec);
    const watch = new JobWatch(cluster.client, id);
    const undisturbed = await watch.ended(endDeadlineMs);
    watch.close();
    expect(undisturbed).toMatchObject({ state: 'succeeded', attempt: 1, generation: 1 });
    return new DisturbedJob(
      cluster,
      spec,
      undisturbed.progress.totalSteps,
      undisturbed,
      endDeadlineMs,
    );
  }

  /** Of the undisturbed run. */
  get modelSha256(): string | null {
    return this.undisturbed.modelSha256;
  }

  /** Submits the job again, under a watch. */
  async submit(
    workers: JobSpecInput['workers'] = {},
    changes: Pick<JobSpecInput, 'priority'> = {},
  ): Promise<JobWatch> {
    const { id } = await this.cluster.client.submit({ ...this.spec, ...changes, workers });
    return new JobWatch(this.cluster.client, id);
  }

  /** Waits for the end, and compares all that a job comes to with the undisturbed run. */
  async expectSame(watch: JobWatch): Promise<JobView> {
    const job = await watch.ended(this.endDeadlineMs);
    const { undisturbed, totalSteps } = this;
    expect(job).toMatchObject({ state: 'succeeded', modelSha256: undisturbed.modelSha256 });
    expect(job.lastEvaluation).toEqual(undisturbed.lastEvaluation);
    expect(job.progress.step).toBe(totalSteps);
    return job;
  }
}
