import { PhiloxStream } from '@skipring/protocol';
import { OPTIMIZER_PREFIX, type Engine, type LaneBatch } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import {
  exponentsOf,
  INPUT_SHAPE,
  LANE_SIZE,
  NUM_CLASSES,
  randomBatch,
  smallEngine,
  smallModel,
  train,
} from '../testing/small-engine.js';

let engine: Engine;

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));
beforeEach(() => {
  engine = smallEngine();
});
afterEach(() => {
  engine.dispose();
});

describe('the state', () => {
  it("starts as the model's own values, with velocities of zero", () => {
    const model = smallModel();
    const state = engine.readState();
    for (const { name, variable } of [...model.parameters, ...model.movingStatistics]) {
      expect(state.get(name), name).toEqual({
        shape: variable.shape,
        values: variable.dataSync<'float32'>(),
      });
    }
    const slots = [...state].filter(([name]) => name.startsWith(OPTIMIZER_PREFIX));
    expect(slots).toHaveLength(model.parameters.length);
    expect(slots.every(([, { values }]) => values.every((value) => value === 0))).toBe(true);
  });

  it('written into another engine goes on with the same bits', () => {
    train(engine, 3);
    const snapshot = engine.readState();
    train(engine, 3);
    const other = smallEngine();
    other.writeState(snapshot);
    expect(other.readState()).toEqual(snapshot);
    train(other, 3);
    expect(other.readState()).toEqual(engine.readState());
    other.dispose();
  });

  it('read once is not changed by later steps', () => {
    const snapshot = engine.readState();
    const copy = structuredClone(snapshot);
    train(engine, 1);
    expect(snapshot).toEqual(copy);
    expect(engine.readState()).not.toEqual(copy);
  });

  it('of another model is refused with all that does not match, and nothing changes', () => {
    const before = engine.readState();
    const wrong = new Map(before);
    wrong.delete('stem/conv/kernel');
    wrong.set('classifier/bias', { shape: [2], values: new Float32Array(2) });
    wrong.set('stem/norm/gamma', { shape: [16], values: new Float32Array(3) });
    wrong.set('extra', { shape: [], values: new Float32Array(1) });
    expect(() => {
      engine.writeState(wrong);
    }).toThrowError(
      expect.objectContaining({
        code: 'STATE_MISMATCH',
        message: expect.stringMatching(
          /stem\/conv\/kernel is missing.*stem\/norm\/gamma has 3 values.*classifier\/bias has shape \[2\].*extra is unknown/,
        ) as string,
      }),
    );
    expect(engine.readState()).toEqual(before);
  });
});

describe('evaluation', () => {
  it('counts what the model predicts by its moving statistics, sample by sample', () => {
    const stream = new PhiloxStream(1);
    const state = new Map(engine.readState());
    for (const [name, { shape, values }] of state) {
      if (!name.includes('moving')) continue;
      const moved = values.map(() => 0.5 + Math.abs(stream.nextNormal()));
      state.set(name, { shape, values: moved });
    }
    engine.writeState(state);
    const model = smallModel();
    for (const { name, variable } of model.movingStatistics) {
      variable.assign(tf.tensor(state.get(name)!.values, variable.shape));
    }
    const batch = randomBatch(9);
    const { height, width, channels } = INPUT_SHAPE;
    const logits = model.forwardInference(
      tf.tensor4d(batch.images, [LANE_SIZE, height, width, channels]),
    );
    const predicted = logits.argMax(1).dataSync<'int32'>();
    const confusion = new Int32Array(NUM_CLASSES * NUM_CLASSES);
    batch.labels.forEach((label, sample) => {
      confusion[label * NUM_CLASSES + predicted[sample]!]! += 1;
    });
    const losses = tf.logSoftmax(logits).mul(tf.oneHot(batch.labels, NUM_CLASSES)).sum(1).neg();

    const counts = engine.evaluate(batch);
    expect(counts.confusion).toEqual(confusion);
    expect(counts.samples).toBe(LANE_SIZE);
    expect(counts.predicted).toEqual(Int32Array.from(predicted));
    const expectedLosses = losses.dataSync<'float32'>();
    counts.losses.forEach((loss, sample) => {
      expect(loss).toBeCloseTo(expectedLosses[sample]!, 4);
    });
    const expectedLoss = expectedLosses.reduce((sum, loss) => sum + loss, 0);
    expect(counts.lossSum / 2 ** engine.layout.lossScaleBits / expectedLoss).toBeCloseTo(1, 5);
  });

  it('changes nothing', () => {
    const before = engine.readState();
    const counts = engine.evaluate(randomBatch(1));
    expect(engine.evaluate(randomBatch(1))).toEqual(counts);
    expect(engine.readState()).toEqual(before);
  });
});

describe('input that does not fit is refused, naming what was given and expected', () => {
  const good = randomBatch(1);
  const cases: [string, LaneBatch, string, RegExp][] = [
    ['a number of samples without a graph', randomBatch(1, 3), 'BATCH_SIZE', /3 samples.*4 or 8/],
    [
      'too few pixels',
      { ...good, images: good.images.subarray(1) },
      'INPUT_MISMATCH',
      /images: 1535 values, expected 1536/,
    ],
    [
      'too few labels',
      { ...good, labels: good.labels.subarray(1) },
      'INPUT_MISMATCH',
      /labels: 7 values, expected 8/,
    ],
    [
      'a label that is no class',
      { ...good, labels: good.labels.with(2, 5) },
      'INPUT_MISMATCH',
      /labels: class 5, expected 0 to 4/,
    ],
    [
      'pixels of another type',
      { ...good, images: Int32Array.from(good.images) as unknown as Float32Array },
      'INPUT_MISMATCH',
      /images: another type, expected float32/,
    ],
  ];
  it.each(cases)('%s', (_, batch, code, message) => {
    expect(() => engine.forwardBackward(batch, exponentsOf(engine, 20), 1, 0)).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  it('exponents that are not one for each slot', () => {
    expect(() => engine.forwardBackward(good, new Int32Array(2), 1, 0)).toThrowError(
      /exponents: 2 values/,
    );
  });

  it('a reduced vector of another type or length, and the state stays', () => {
    const before = engine.readState();
    const inputs = {
      learningRate: 1,
      step: 1,
      totalWeight: 1,
      exponents: exponentsOf(engine, 20),
    };
    expect(() => {
      engine.apply(new Float32Array(engine.layout.length), inputs);
    }).toThrowError(/reduced vector: another type, expected int32/);
    expect(() => {
      engine.apply(new Int32Array(engine.layout.length - 1), inputs);
    }).toThrowError(/reduced vector: \d+ values, expected \d+/);
    expect(engine.readState()).toEqual(before);
  });
});
