import { PhiloxStream } from '@skipring/protocol';

/**
 * First stream number of everything random in this room, so that no two purposes share a block.
 * The values are part of the results: changing one changes every model trained.
 */
export const StreamKind = {
  permutation: 0x5045_524d,
  augmentation: 0x4155_474d,
  glyphsTrain: 0x474c_5452,
  glyphsTest: 0x474c_5445,
} as const;
export type StreamKind = (typeof StreamKind)[keyof typeof StreamKind];

/** The stream of one purpose, seed and place (epoch, sample id). */
export function openStream(kind: StreamKind, seed: number, ...place: number[]): PhiloxStream {
  return new PhiloxStream(seed, kind, ...place);
}

/** Uniform on [low, high), in steps of 2^-24 of the width. */
export function between(stream: PhiloxStream, low: number, high: number): number {
  return low + (high - low) * stream.nextFloat();
}
