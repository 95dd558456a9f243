import type { JobSpec } from '@skipring/protocol';
import { openStream, StreamKind } from '../random.js';
import { IDENTITY, type Transform } from './decode.js';

/** `cropPadding`: pixels of zero padding before a random crop; `flip`: mirror half of the samples. */
export type Augmentation = JobSpec['data']['augmentation'];

/**
 * The crop and mirroring of one sample in one epoch: a pure function of (seed, epoch, sample id),
 * whichever lane, worker or attempt the sample is in.
 */
export function sampleTransform(
  seed: number,
  epoch: number,
  id: number,
  { cropPadding, flip }: Augmentation,
): Transform {
  if (cropPadding === 0 && !flip) return IDENTITY;
  const stream = openStream(StreamKind.augmentation, seed, epoch, id);
  // Always three numbers in this order, so that one option does not change what another draws.
  const top = stream.nextBelow(2 * cropPadding + 1) - cropPadding;
  const left = stream.nextBelow(2 * cropPadding + 1) - cropPadding;
  const mirrored = stream.nextBelow(2) === 1;
  return { top, left, flip: flip && mirrored };
}
