import { PhiloxStream } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import type { Parameter } from './trainable-model.js';

/** First stream number of initial weights: no other purpose shares a block with them. */
const STREAM_KIND = 0x494e_4954;

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a of the name's characters, 64 bits, as two uint32. */
function hashName(name: string): [number, number] {
  let hash = FNV_OFFSET;
  for (const character of name) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * FNV_PRIME);
  }
  return [Number(hash & 0xffff_ffffn), Number(hash >> 32n)];
}

/**
 * Standard deviation of a kernel's initial weights. Convolutions, each before a relu: He et al.
 * 2015, "Delving Deep into Rectifiers", equation 14, sqrt(2 / fan-out), as torchvision has it. The
 * classifier, which no relu follows: sqrt(1 / fan-in).
 */
function standardDeviation(shape: readonly number[]): number {
  if (shape.length === 2) return Math.sqrt(1 / (shape[0] ?? 1));
  const [height = 1, width = 1, , filters = 1] = shape;
  return Math.sqrt(2 / (height * width * filters));
}

/**
 * Sets the kernels of a model to normal random numbers, each a pure function of `seed`, the
 * parameter's name and the place in it. Scales, offsets and biases keep their ones and zeros.
 */
export function initialise(parameters: readonly Parameter[], seed: number): void {
  for (const { name, variable } of parameters) {
    if (variable.rank < 2) continue;
    const stream = new PhiloxStream(seed, STREAM_KIND, ...hashName(name));
    const deviation = standardDeviation(variable.shape);
    const weights = new Float32Array(variable.size);
    for (let index = 0; index < weights.length; index++) {
      weights[index] = stream.nextNormal() * deviation;
    }
    tf.tidy(() => variable.assign(tf.tensor(weights, variable.shape, 'float32')));
  }
}
