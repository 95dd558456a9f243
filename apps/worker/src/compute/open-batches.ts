import { join } from 'node:path';
import { evaluationBatch, evaluationBatches, LaneBatches } from '@skipring/data';
import { ShardCache } from '@skipring/data/files';
import type { CoordinatorMessage, JobSpec } from '@skipring/protocol';
import type { BatchSource } from '@skipring/trainer';
import type { CoordinatorHttp } from './coordinator-http.js';
import { EVALUATION_BATCH_SIZE } from './evaluation-size.js';

const CACHE_LIMIT_BYTES = 20e9;
/** Lane batches made ahead: two steps of a worker that owns four lanes. */
const PREFETCH_DEPTH = 8;

type DataSet = Extract<CoordinatorMessage, { type: 'prepare' }>['dataSet'];

/** A job's batches on this worker, and the thread that makes them. */
export interface JobBatches extends BatchSource {
  close(): Promise<void>;
}

/** Brings both splits into memory, from the cache or the coordinator, and starts the batch thread. */
export async function openBatches(
  spec: JobSpec,
  { hash, manifest }: DataSet,
  http: CoordinatorHttp,
  cacheDirectory: string,
): Promise<JobBatches> {
  const cache = new ShardCache({
    directory: join(cacheDirectory, 'shards'),
    limitBytes: CACHE_LIMIT_BYTES,
  });
  const open = (split: 'train' | 'test') =>
    cache.openSplit(manifest, hash, split, (file, firstByte) => http.shard(hash, file, firstByte));
  const train = await open('train');
  const test = await open('test');
  const lanes = await LaneBatches.start({
    source: train,
    manifest,
    spec: { seed: spec.seed, lanes: spec.lanes, augmentation: spec.data.augmentation },
    depth: PREFETCH_DEPTH,
  });
  return {
    numEvaluationBatches: evaluationBatches(test.samples, EVALUATION_BATCH_SIZE),
    evaluationBatchSize: EVALUATION_BATCH_SIZE,
    seek(position, owned) {
      lanes.seek(position, owned);
    },
    next: (lane) => lanes.next(lane),
    evaluation: (index) => evaluationBatch(test, manifest, index, EVALUATION_BATCH_SIZE),
    close: () => lanes.close(),
  };
}
