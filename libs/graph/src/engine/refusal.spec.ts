import { registerFusedKernels, type TrainableModel } from '@skipring/nn';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { smallEngine, smallModel } from '../testing/small-engine.js';

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  registerFusedKernels();
});

/** The small model with `change` between the model and its images. */
function changed(change: (images: tf.Tensor4D) => tf.Tensor4D): TrainableModel {
  const model = smallModel();
  return { ...model, forwardTraining: (images) => model.forwardTraining(change(images)) };
}

describe('a model that cannot be recorded is refused', () => {
  it('for random numbers made in JavaScript', () => {
    const model = changed((images) => images.mul(tf.scalar(Math.random())));
    expect(() => smallEngine({}, model)).toThrowError(
      expect.objectContaining({
        name: 'EngineError',
        code: 'CONSTANT_DIFFERS',
        message: expect.stringContaining('lane/Mul') as string,
      }),
    );
  });

  it('for a value read from a tensor', () => {
    const model = changed((images) => images.mul(images.max().dataSync<'float32'>()[0]!));
    expect(() => smallEngine({}, model)).toThrowError(
      expect.objectContaining({ name: 'EngineError', code: 'VALUE_READ' }),
    );
  });

  it('for a different number of operations each time', () => {
    let calls = 0;
    const model = changed((images) => {
      calls += 1;
      return calls % 2 === 0 ? images.neg() : images;
    });
    expect(() => smallEngine({}, model)).toThrowError(
      expect.objectContaining({ name: 'EngineError', code: 'RECORDING_DIFFERS' }),
    );
  });

  it('for a parameter that the loss does not depend on', () => {
    const model = smallModel();
    const idle = {
      name: 'idle/kernel',
      variable: tf.variable(tf.zeros([2, 2])),
      decay: true,
    };
    const parameters = [...model.parameters, idle];
    expect(() => smallEngine({}, { ...model, parameters })).toThrowError(/idle|variable/i);
  });

  it('and the backend is as before', () => {
    const { binding } = nodeBackend();
    const model = changed(() => {
      throw new Error('the model is broken');
    });
    expect(() => smallEngine({}, model)).toThrowError('the model is broken');
    expect(nodeBackend().binding).toBe(binding);
    expect(tf.add(1, 2).dataSync<'float32'>()[0]).toBe(3);
  });
});
