import { DataError } from '../error.js';
import { sampleTransform, type Augmentation } from './augmentation.js';
import { decodeInto, IDENTITY, type Transform } from './decode.js';
import { pixelBytes, type ImageStatistics } from './geometry.js';
import { normalisationTable } from './normalisation.js';
import type { SampleSource } from './sample-source.js';

/** Samples decoded, augmented and normalised: what an engine computes on. */
export interface LaneBatch {
  /** Shape [samples, height, width, channels]. */
  readonly images: Float32Array<ArrayBuffer>;
  /** Class of each sample, shape [samples]. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly samples: number;
}

/** What a training sample's augmentation is a function of, besides its id. */
export interface AugmentationContext {
  readonly seed: number;
  readonly epoch: number;
  readonly augmentation: Augmentation;
}

/** Turns records into batches; holds the normalisation table of one data set. */
export class BatchMaker {
  private readonly table: Float32Array;

  /** @throws DataError SHAPE_MISMATCH if the source's shape is not the statistics' one */
  constructor(
    private readonly source: SampleSource,
    statistics: ImageStatistics,
  ) {
    this.table = normalisationTable(statistics);
    const { height, width, channels } = source.shape;
    if (
      height !== statistics.height ||
      width !== statistics.width ||
      channels !== statistics.channels
    ) {
      throw new DataError(
        'SHAPE_MISMATCH',
        `source is ${height}x${width}x${channels}; expected ` +
          `${statistics.height}x${statistics.width}x${statistics.channels} as in the manifest`,
      );
    }
  }

  /** A training batch: each sample augmented by its own (seed, epoch, sample id). */
  laneBatch(ids: Uint32Array, context: AugmentationContext): LaneBatch {
    const { seed, epoch, augmentation } = context;
    return this.make(ids, (id) => sampleTransform(seed, epoch, id, augmentation));
  }

  /** Samples as they are, in the order of `ids`. */
  plainBatch(ids: Uint32Array): LaneBatch {
    return this.make(ids, () => IDENTITY);
  }

  private make(ids: Uint32Array, transformOf: (id: number) => Transform): LaneBatch {
    const length = pixelBytes(this.source.shape);
    const images = new Float32Array(ids.length * length);
    const labels = new Int32Array(ids.length);
    ids.forEach((id, index) => {
      labels[index] = this.source.label(id);
      decodeInto(
        this.source.bytes,
        this.source.pixelOffset(id),
        this.source.shape,
        this.table,
        transformOf(id),
        images,
        index * length,
      );
    });
    return { images, labels, samples: ids.length };
  }
}

/** One lane's training batch; use a `BatchMaker` for many. */
export function makeLaneBatch(
  source: SampleSource,
  statistics: ImageStatistics,
  ids: Uint32Array,
  context: AugmentationContext,
): LaneBatch {
  return new BatchMaker(source, statistics).laneBatch(ids, context);
}
