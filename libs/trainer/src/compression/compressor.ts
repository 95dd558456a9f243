import type { SumWords } from './sum-words.js';

/** What one lane has to add: its gradient and what was left out of it before, a slot after another. */
export interface LaneDelta {
  readonly lane: number;
  /** By compressed slot, each of shape [rows, columns]. */
  readonly slots: readonly Float32Array[];
}

export interface Compressed {
  /** About the sum over all lanes, the same bits on every rank; by compressed slot. */
  readonly sums: readonly Float64Array[];
  /** What of this rank's lanes is in `sums`; by lane as given, by compressed slot. */
  readonly sent: readonly (readonly Float64Array[])[];
  /** Summed over all ranks. */
  readonly rest: Int32Array;
  /** To be called when the step is taken, not repeated: what the next one starts from. */
  readonly accept: () => void;
}

/**
 * Sums lanes over all ranks with fewer bytes. Each lane is compressed by itself and the sum has no
 * order, or that of the lanes: which rank computes a lane changes no bit.
 *
 * @param rest int32 words that travel along uncompressed
 */
export type Compressor = (
  lanes: readonly LaneDelta[],
  rest: Int32Array,
  sumWords: SumWords,
) => Promise<Compressed>;
