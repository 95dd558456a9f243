/** Shape of one image. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Bytes of a record's label: uint16, little endian. */
export const LABEL_BYTES = 2;

/** Bytes of one image's uint8 pixels in HWC order. */
export function pixelBytes(shape: ImageShape): number {
  return shape.height * shape.width * shape.channels;
}

/** Bytes of one record of a shard: label, then pixels. */
export function recordBytes(shape: ImageShape): number {
  return LABEL_BYTES + pixelBytes(shape);
}

/** What decoding needs to know of a manifest; small enough to send to a thread. */
export interface ImageStatistics extends ImageShape {
  /** Per channel, of pixels scaled to [0, 1]. */
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}
