import { DataError } from '../error.js';
import { LABEL_BYTES, recordBytes, type ImageShape } from './geometry.js';

/** Records of one split, end to end in memory that threads can share. */
export interface SharedRecords {
  readonly shape: ImageShape;
  readonly samples: number;
  /** `samples * recordBytes(shape)` bytes. */
  readonly buffer: SharedArrayBuffer;
}

/** One sample as it is stored. */
export interface SampleRecord {
  readonly label: number;
  /** View of the pixels, uint8, shape [height, width, channels]. */
  readonly pixels: Uint8Array;
}

/** Random access to the samples of a split, all of them in memory. */
export class SampleSource {
  /** All records, for loops that cannot afford a view per sample. */
  readonly bytes: Uint8Array;
  readonly samples: number;
  readonly shape: ImageShape;
  private readonly recordBytes: number;

  /** @throws DataError INVALID_ARGUMENT if the buffer's length is not that of the records */
  constructor(readonly shared: SharedRecords) {
    this.bytes = new Uint8Array(shared.buffer);
    this.samples = shared.samples;
    this.shape = shared.shape;
    this.recordBytes = recordBytes(shared.shape);
    const expected = shared.samples * this.recordBytes;
    if (this.bytes.length !== expected) {
      throw new DataError(
        'INVALID_ARGUMENT',
        `buffer holds ${this.bytes.length} bytes; expected ${expected}`,
      );
    }
  }

  /** Allocates a zeroed source to be filled record by record. */
  static allocate(shape: ImageShape, samples: number): SampleSource {
    const buffer = new SharedArrayBuffer(samples * recordBytes(shape));
    return new SampleSource({ shape, samples, buffer });
  }

  record(id: number): SampleRecord {
    const start = this.pixelOffset(id);
    return {
      label: this.label(id),
      pixels: this.bytes.subarray(start, start + this.recordBytes - LABEL_BYTES),
    };
  }

  label(id: number): number {
    const offset = this.recordOffset(id);
    return (this.bytes[offset] ?? 0) | ((this.bytes[offset + 1] ?? 0) << 8);
  }

  /** Index in `bytes` of the sample's first pixel. */
  pixelOffset(id: number): number {
    return this.recordOffset(id) + LABEL_BYTES;
  }

  private recordOffset(id: number): number {
    if (!(id >= 0 && id < this.samples)) {
      throw new DataError(
        'INVALID_ARGUMENT',
        `sample id is ${id}; expected one in [0, ${this.samples})`,
      );
    }
    return id * this.recordBytes;
  }
}
