import type { LaneBatch } from '../engine.js';
import type { BatchSource } from '../ports.js';

export interface MemoryBatchesOptions {
  readonly numSamples: number;
  readonly numEvaluationSamples: number;
  readonly numFeatures: number;
  readonly numClasses: number;
  readonly lanes: { readonly count: number; readonly size: number };
  /** Told of every sample that is handed out: what a test audits. */
  readonly onSample?: (epoch: number, stepInEpoch: number, sample: number) => void;
  /** May change a batch before it is handed out: how a test brings in a NaN or a huge value. */
  readonly alter?: (batch: LaneBatch, epoch: number, stepInEpoch: number, lane: number) => void;
}

const EVALUATION_BATCH_SIZE = 16;

/**
 * A BatchSource of made-up samples, noisy points around one centre for each class, that are a pure
 * function of their id. An epoch goes through the ids by a stride coprime to their number.
 */
export class MemoryBatches implements BatchSource {
  private readonly upcoming = new Map<number, { epoch: number; stepInEpoch: number }>();
  readonly numEvaluationBatches: number;
  readonly evaluationBatchSize = EVALUATION_BATCH_SIZE;

  constructor(private readonly options: MemoryBatchesOptions) {
    this.numEvaluationBatches = Math.ceil(options.numEvaluationSamples / EVALUATION_BATCH_SIZE);
  }

  seek(position: { epoch: number; stepInEpoch: number }, lanes: readonly number[]): void {
    this.upcoming.clear();
    for (const lane of lanes) this.upcoming.set(lane, { ...position });
  }

  next(lane: number): Promise<LaneBatch> {
    const at = this.upcoming.get(lane);
    if (at === undefined) return Promise.reject(new Error(`lane ${lane} was not sought`));
    const { numSamples, lanes, onSample, alter } = this.options;
    const { epoch, stepInEpoch } = at;
    const first = (stepInEpoch * lanes.count + lane) * lanes.size;
    const ids = range(first, Math.min(first + lanes.size, numSamples)).map((index) =>
      permuted(index, epoch, numSamples),
    );
    for (const id of ids) onSample?.(epoch, stepInEpoch, id);
    const batch = this.batchOf(ids);
    alter?.(batch, epoch, stepInEpoch, lane);
    const last = (stepInEpoch + 1) * lanes.count * lanes.size >= numSamples;
    this.upcoming.set(
      lane,
      last ? { epoch: epoch + 1, stepInEpoch: 0 } : { epoch, stepInEpoch: stepInEpoch + 1 },
    );
    return Promise.resolve(batch);
  }

  evaluation(index: number): LaneBatch {
    const { numSamples, numEvaluationSamples } = this.options;
    const first = index * EVALUATION_BATCH_SIZE;
    const end = Math.min(first + EVALUATION_BATCH_SIZE, numEvaluationSamples);
    return this.batchOf(range(numSamples + first, numSamples + end));
  }

  private batchOf(ids: readonly number[]): LaneBatch {
    const { numFeatures, numClasses } = this.options;
    const labels = Int32Array.from(ids, (id) => id % numClasses);
    const images = new Float32Array(ids.length * numFeatures);
    ids.forEach((id, sample) => {
      for (let f = 0; f < numFeatures; f++) {
        const centre = Math.sin(1 + (id % numClasses) * numFeatures + f);
        const noise = Math.sin(id * 12.9898 + f * 78.233) * 0.8;
        images[sample * numFeatures + f] = centre + noise;
      }
    });
    return { images, labels, samples: ids.length };
  }
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** The `index`-th id of an epoch: a bijection of 0 ... numSamples - 1. */
function permuted(index: number, epoch: number, numSamples: number): number {
  let stride = 7 + 2 * epoch;
  while (greatestCommonDivisor(stride, numSamples) !== 1) stride += 1;
  return (index * stride + epoch) % numSamples;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
