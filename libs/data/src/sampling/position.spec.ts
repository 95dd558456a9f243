import { describe, expect, it } from 'vitest';
import { globalBatchSize, stepsPerEpoch } from './plan.js';
import { advance, positionOf, samplesInStep, START_POSITION, stepInEpoch } from './position.js';

const lanes = { count: 3, size: 7 };
const numSamples = 1009;
const steps = stepsPerEpoch(numSamples, globalBatchSize(lanes));

describe('positions', () => {
  it('advance through epochs, every sample committed once', () => {
    let position = START_POSITION;
    for (let epoch = 0; epoch < 3; epoch++) {
      let committed = 0;
      for (let step = 0; step < steps; step++) {
        expect(position).toEqual({ step: epoch * steps + step, epoch, cursor: committed });
        expect(stepInEpoch(position, numSamples, lanes)).toBe(step);
        expect(positionOf(position.step, numSamples, lanes)).toEqual(position);
        committed += samplesInStep(position, numSamples, lanes);
        position = advance(position, numSamples, lanes);
      }
      expect(committed).toBe(numSamples);
    }
  });

  it.each([
    [{ step: 1, epoch: 0, cursor: 20 }, 'cursor is 20; expected a multiple of 21 in [0, 1009)'],
    [{ step: 49, epoch: 0, cursor: 1029 }, 'cursor is 1029'],
    [{ step: -1, epoch: 0, cursor: -21 }, 'cursor is -21'],
    [{ step: 2, epoch: 0, cursor: 21 }, 'step is 2; expected 1 at epoch 0, cursor 21'],
    [{ step: 1, epoch: 1, cursor: 21 }, 'step is 1; expected 50 at epoch 1, cursor 21'],
  ])('refuse %o, whose parts do not fit', (position, message) => {
    expect(() => advance(position, numSamples, lanes)).toThrow(message);
  });
});
