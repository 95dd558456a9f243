import { openStream, StreamKind } from '../random.js';
import { requireCount } from './plan.js';

/**
 * The order of an epoch: a uniform permutation of 0 ... numSamples - 1, by Fisher and Yates'
 * shuffle from the end (Durstenfeld, CACM 7, 1964) with unbiased integers of the Philox stream
 * (seed, epoch). A pure function of its arguments, the same on every machine.
 *
 * @param seed uint32
 * @param epoch uint32, from 0
 * @returns shape [numSamples]
 */
export function epochPermutation(seed: number, epoch: number, numSamples: number): Uint32Array {
  requireCount('numSamples', numSamples);
  const stream = openStream(StreamKind.permutation, seed, epoch);
  const ids = Uint32Array.from({ length: numSamples }, (_, id) => id);
  for (let last = numSamples - 1; last > 0; last--) {
    const other = stream.nextBelow(last + 1);
    const id = ids[last]!;
    ids[last] = ids[other]!;
    ids[other] = id;
  }
  return ids;
}
