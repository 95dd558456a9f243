import type { CompressionSpec } from '@skipring/protocol';
import type { TensorSlot, VectorLayout } from '../engine.js';

/** A gradient that is compressed, as a matrix of shape [rows, columns]. */
export interface CompressedSlot {
  readonly name: string;
  /** Index among all slots. */
  readonly index: number;
  /** First element in the engine's vector. */
  readonly offset: number;
  readonly length: number;
  /** Product of all dimensions but the last. */
  readonly rows: number;
  readonly columns: number;
  /** Columns of its thin matrices, at most. */
  readonly rank: number;
}

/**
 * Gradients that compression makes smaller: matrices and kernels, not vectors, and with `powerSgd`
 * only those that have more values than their two thin matrices.
 */
export function compressedSlots(layout: VectorLayout, spec: CompressionSpec): CompressedSlot[] {
  return layout.slots.flatMap((slot, index) => {
    const fitting = asMatrix(slot, index, spec.kind === 'powerSgd' ? spec.matrixRank : 0);
    return fitting === null ? [] : [fitting];
  });
}

function asMatrix(slot: TensorSlot, index: number, maxRank: number): CompressedSlot | null {
  const { name, kind, shape, offset, length } = slot;
  const columns = shape.at(-1) ?? 1;
  if (kind !== 'gradient' || shape.length < 2 || length === 0) return null;
  const rows = length / columns;
  const rank = Math.min(maxRank, rows, columns);
  if ((rows + columns) * rank >= length) return null;
  return { name, index, offset, length, rows, columns, rank };
}

/** Parts of the vector that are sent whole: the other slots, the counts and the flags. */
export function restRanges(
  layout: VectorLayout,
  compressed: readonly CompressedSlot[],
): { readonly begin: number; readonly end: number }[] {
  const ranges: { begin: number; end: number }[] = [];
  let begin = 0;
  for (const { offset, length } of compressed) {
    if (offset > begin) ranges.push({ begin, end: offset });
    begin = offset + length;
  }
  if (layout.length > begin) ranges.push({ begin, end: layout.length });
  return ranges;
}
