import type { JobEvent } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { NO_HISTORY, withDetail, withEvents } from './job-history.js';

const base = { id: '1-0', time: '2026-01-01T00:00:00.000Z', jobId: 'job-1' };

function metricsOf(step: number) {
  return {
    step,
    epoch: 0,
    cursor: step,
    loss: 1 / step,
    accuracy: 0.5,
    learningRate: 0.1,
    samples: 8,
    stepMs: 10,
  };
}

const stepEvent = (step: number): JobEvent => ({ ...base, type: 'step', metrics: metricsOf(step) });

const evaluation = (step: number, accuracy: number): JobEvent => ({
  ...base,
  type: 'evaluation',
  result: { step, epoch: 0, loss: 1, accuracy, samples: 1, confusion: [], worst: [] },
});

describe('a history', () => {
  it('takes in each step once, also when steps are taken again', () => {
    const first = withEvents(NO_HISTORY, [stepEvent(1), stepEvent(2), stepEvent(3)]);
    const again = withEvents(first, [stepEvent(2), stepEvent(3), stepEvent(4)]);
    expect(again.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(again.steps[3]?.timeMs).toBe(Date.parse(base.time));
    expect(again.lastStep).toBe(4);
  });

  it('marks generations at their step, and faults where they were met', () => {
    const history = withEvents(NO_HISTORY, [
      stepEvent(7),
      { ...base, type: 'log', level: 'warn', message: 'worker b is lost' },
      { ...base, type: 'log', level: 'info', message: 'all is well' },
      {
        ...base,
        type: 'generation',
        attempt: 1,
        generation: 2,
        workers: ['a'],
        step: 6,
        reason: 'b left',
      },
      { ...base, type: 'state', state: 'failed', reason: 'no more tries', attempt: 1 },
    ]);
    expect(history.marks.map(({ x, kind }) => [x, kind])).toEqual([
      [7, 'fault'],
      [6, 'generation'],
      [6, 'fault'],
    ]);
    expect(history.events).toHaveLength(4);
  });

  it('keeps the last evaluation of a step', () => {
    const history = withEvents(NO_HISTORY, [
      evaluation(20, 0.5),
      evaluation(10, 0.3),
      evaluation(20, 0.6),
    ]);
    expect(history.evaluations.map(({ step, accuracy }) => [step, accuracy])).toEqual([
      [10, 0.3],
      [20, 0.6],
    ]);
  });

  it('is shown in more detail in part', () => {
    const steps = [10, 20, 30, 40].map(metricsOf);
    const detail = [18, 19, 20, 21, 29].map(metricsOf);
    expect(withDetail(steps, detail).map(({ step }) => step)).toEqual([
      10, 18, 19, 20, 21, 29, 30, 40,
    ]);
    expect(withDetail(steps, [])).toBe(steps);
  });
});
