import { initialAuxiliary, TrainingState } from '@skipring/trainer';
import { compileJob } from './compile-job.js';
import type { CoordinatorAddress } from './checkpoint-messages.js';
import type { CoordinatorHttp } from './coordinator-http.js';
import { JobSession, type JobToOpen } from './job-session.js';
import { openBatches } from './open-batches.js';
import { warmStart } from './warm-start.js';
import { UploadThread } from './upload-thread.js';

/** Loads the data and compiles the model; the state is the one that the job's seed gives. */
export async function openJob(
  { spec, dataSet, fence }: JobToOpen,
  http: CoordinatorHttp,
  address: CoordinatorAddress,
  cacheDirectory: string,
): Promise<JobSession> {
  const batches = await openBatches(spec, dataSet, http, cacheDirectory);
  try {
    const { manifest } = dataSet;
    const engine = compileJob(spec, manifest);
    const { initialWeights } = spec;
    const notice =
      initialWeights?.sha256 === undefined
        ? null
        : warmStart(engine, await http.weights(initialWeights.sha256), initialWeights, spec.model);
    const auxiliary = initialAuxiliary(spec, engine.layout, engine.readState());
    return new JobSession({
      jobId: fence.jobId,
      notice,
      spec,
      state: new TrainingState(engine, auxiliary),
      batches,
      numSamples: manifest.splits.train.samples,
      numClasses: manifest.classes.length,
      download: http,
      upload: new UploadThread(address),
    });
  } catch (error) {
    await batches.close();
    throw error;
  }
}
