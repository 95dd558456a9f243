import { evaluationBatches } from '../sampling/batch-sizes.js';
import { requireIndex } from '../sampling/plan.js';
import type { ImageStatistics } from './geometry.js';
import { BatchMaker, type LaneBatch } from './lane-batch.js';
import type { SampleSource } from './sample-source.js';

/**
 * Batch `index` of a split in its stored order, not augmented: samples [index * size, ...), at most
 * `size` of them.
 *
 * @throws DataError INVALID_ARGUMENT if index is not in [0, evaluationBatches)
 */
export function evaluationBatch(
  source: SampleSource,
  statistics: ImageStatistics,
  index: number,
  size: number,
): LaneBatch {
  requireIndex('index', index, evaluationBatches(source.samples, size));
  const first = index * size;
  const samples = Math.min(size, source.samples - first);
  const ids = Uint32Array.from({ length: samples }, (_, i) => first + i);
  return new BatchMaker(source, statistics).plainBatch(ids);
}
