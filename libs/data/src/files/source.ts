/** Consecutive samples of a split, as a reader yields them. */
export interface SampleChunk {
  readonly samples: number;
  /** Class of each sample, shape [samples]. */
  readonly labels: Uint16Array;
  /** uint8, shape [samples, height, width, channels]. */
  readonly pixels: Uint8Array;
}

/** One split of a source: opened lazily, read once from start to end. */
export interface SourceSplit {
  readonly samples: number;
  /** Chunks in stored order; aborting the signal ends the iteration with its reason. */
  read(signal?: AbortSignal): AsyncIterable<SampleChunk>;
}

/** A data set in a foreign format whose headers have been read and found good. */
export interface DataSource {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Class names in label order. */
  readonly classes: readonly string[];
  readonly splits: { readonly train: SourceSplit; readonly test: SourceSplit };
}

/** Chunks hold about this much, so that memory stays flat whatever the data set's size. */
export const CHUNK_BYTES = 1 << 20;

/** Samples in a chunk of about CHUNK_BYTES, at least one. */
export function samplesPerChunk(sampleBytes: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / sampleBytes));
}
