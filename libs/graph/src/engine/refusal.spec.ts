import { registerFusedKernels, trainable, type TrainableModel } from '@skipring/nn';
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
        message: expect.stringContaining('lane4/Mul') as string,
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

  /** The small model with a layer of our own before its classifier. */
  function withLayer(work: (x: tf.Tensor) => tf.Tensor): TrainableModel {
    class Custom extends tf.layers.Layer {
      static readonly className = 'Custom';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.tidy(() => work(Array.isArray(inputs) ? inputs[0]! : inputs));
      }
      override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
        return shape;
      }
    }
    const { model } = smallModel();
    const custom = new Custom({ name: 'head/custom' });
    const pooled = model.getLayer('pool').output as tf.SymbolicTensor;
    const outputs = model.getLayer('classifier').apply(custom.apply(pooled)) as tf.SymbolicTensor;
    return trainable(tf.model({ inputs: model.inputs, outputs }));
  }

  it.each([
    ['random numbers', 'CONSTANT_DIFFERS', (x: tf.Tensor) => x.mul(tf.scalar(Math.random()))],
    ['dropout', 'CONSTANT_DIFFERS', (x: tf.Tensor) => tf.dropout(x, 0.5)],
    [
      'a value that is read',
      'VALUE_READ',
      (x: tf.Tensor) => x.mul(x.max().dataSync<'float32'>()[0]!),
    ],
  ])('naming the layer: %s', (_, code, work) => {
    expect(() => smallEngine({}, withLayer(work))).toThrowError(
      expect.objectContaining({
        code,
        message: expect.stringMatching(/layer head\/custom/) as string,
      }),
    );
  });

  it('naming the layer: an operation that comes and goes', () => {
    let calls = 0;
    const model = withLayer((x) => {
      calls += 1;
      return calls % 2 === 1 ? x : x.neg();
    });
    // Building the model calls no layer; each recording calls each once.
    expect(() => smallEngine({}, model)).toThrowError(
      expect.objectContaining({
        code: 'RECORDING_DIFFERS',
        message: expect.stringMatching(/Neg of layer head\/custom/) as string,
      }),
    );
  });

  it('and leaves its layers as they were', () => {
    const model = withLayer((x) => x.mul(tf.scalar(Math.random())));
    expect(() => smallEngine({}, model)).toThrowError();
    expect(model.model.layers.filter((layer) => Object.hasOwn(layer, 'call'))).toEqual([]);
  });

  it('for a parameter that the loss does not depend on', () => {
    const model = smallModel();
    const idle = {
      name: 'idle/kernel',
      variable: tf.variable(tf.zeros([2, 2])),
      layer: 'idle',
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
