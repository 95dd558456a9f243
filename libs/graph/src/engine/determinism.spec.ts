import { hashState, type Engine } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { exponentsOf, randomBatch, smallEngine, train } from '../testing/small-engine.js';

const NUM_STEPS = 20;

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

function hashOf(engine: Engine): string {
  const position = { step: 0, epoch: 0, cursor: 0 };
  return hashState(position, exponentsOf(engine, 20), engine.readState());
}

describe('the same training gives the same bits', () => {
  it('in two engines side by side, whose variables are apart', () => {
    const first = smallEngine();
    const second = smallEngine();
    for (let step = 0; step < NUM_STEPS; step++) {
      train(first, 1);
      train(second, 1);
    }
    expect(hashOf(second)).toBe(hashOf(first));
    train(first, 1);
    expect(hashOf(second)).not.toBe(hashOf(first));
    first.dispose();
    second.dispose();
  });

  it('for one lane computed again and again', () => {
    const engine = smallEngine();
    const exponents = exponentsOf(engine, 24);
    const first = engine.forwardBackward(randomBatch(1), exponents, 4, 0);
    for (let repetition = 0; repetition < 50; repetition++) {
      const again = engine.forwardBackward(randomBatch(1), exponents, 4, 0);
      expect(Buffer.compare(Buffer.from(again.buffer), Buffer.from(first.buffer))).toBe(0);
    }
    engine.dispose();
  });
});

describe('a long training', () => {
  it('leaves no tensors and no memory behind', () => {
    const engine = smallEngine();
    train(engine, 50);
    const numTensors = nodeBackend().binding.getNumOfTensors();
    const { numTensors: numHandles } = tf.memory();
    const residentBytes = process.memoryUsage.rss();
    train(engine, 400);
    expect(nodeBackend().binding.getNumOfTensors()).toBe(numTensors);
    expect(tf.memory().numTensors).toBe(numHandles);
    // A vector of 300 KB that stayed behind at every step would be 120 MB.
    expect(process.memoryUsage.rss() - residentBytes).toBeLessThan(60e6);
    engine.dispose();
  });
});
