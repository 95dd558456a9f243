import type { StepRecord } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { evaluationCurve, placed, StepAxis, stepCurves } from './step-curves.js';

const steps: StepRecord[] = [1, 2, 3, 4, 5].map((step) => ({
  step,
  epoch: 0,
  cursor: step,
  loss: step % 2,
  accuracy: 0.5,
  learningRate: 0.1,
  samples: 100,
  stepMs: 50,
  timeMs: 10_000 + step * 2_000,
}));

describe('curves of a job', () => {
  it('lie over steps or over seconds since the first', () => {
    const byStep = new StepAxis(steps, 'step');
    const byTime = new StepAxis(steps, 'time');
    expect(byStep.x).toEqual([1, 2, 3, 4, 5]);
    expect(byTime.x).toEqual([0, 2, 4, 6, 8]);
    expect([byTime.unit, byTime.at(3), byTime.stepAt(3.5)]).toEqual([2, 4, 3]);
    const mark = { x: 4, kind: 'fault' as const, title: 'lost' };
    expect(placed([mark], byTime)).toEqual([{ ...mark, x: 6 }]);
  });

  it('are smoothed where they are noisy, over what they were made of', () => {
    const axis = new StepAxis(steps, 'step');
    const [raw, smoothed] = stepCurves(steps, axis, 'loss', 'loss', 0, 0.5);
    expect(raw).toMatchObject({ isFaint: true, y: [1, 0, 1, 0, 1] });
    expect(smoothed?.y[1]).toBeCloseTo(1 / 3);
    expect(stepCurves(steps, axis, 'learningRate', 'rate', 0, 0.5)).toHaveLength(1);
    expect(stepCurves(steps, axis, 'imagesPerSecond', 'pace', 0, 0)[0]?.y[0]).toBe(2_000);
  });

  it('of evaluations lie at their steps', () => {
    const result = { epoch: 0, loss: 1, accuracy: 0.9, samples: 1, confusion: [], worst: [] };
    const curve = evaluationCurve(
      [{ ...result, step: 2 }],
      new StepAxis(steps, 'time'),
      'accuracy',
      'test',
      1,
    );
    expect(curve).toMatchObject({ x: [2], y: [0.9], isSparse: true });
  });
});
