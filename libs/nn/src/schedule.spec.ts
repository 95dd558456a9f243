import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.js';

const constant = { kind: 'constant' } as const;

describe('learningRateAt', () => {
  it('is constant without warm-up', () => {
    const at = learningRateAt({ learningRate: 0.1, schedule: constant, warmupSteps: 0 }, 100);
    expect([at(0), at(50), at(99)]).toEqual([0.1, 0.1, 0.1]);
  });

  it('warms up linearly to the full rate at the last step of warm-up', () => {
    const at = learningRateAt({ learningRate: 0.4, schedule: constant, warmupSteps: 4 }, 100);
    expect([at(0), at(1), at(2), at(3), at(4)]).toEqual([
      expect.closeTo(0.1, 12),
      expect.closeTo(0.2, 12),
      expect.closeTo(0.3, 12),
      0.4,
      0.4,
    ]);
  });

  it('multiplies by the factor exactly at the milestones, in any order of them', () => {
    const schedule = { kind: 'step', milestones: [0.75, 0.5], factor: 0.1 } as const;
    const training = {
      learningRate: 1,
      schedule: { ...schedule, milestones: [...schedule.milestones] },
      warmupSteps: 0,
    };
    const at = learningRateAt(training, 1000);
    expect(at(499)).toBe(1);
    expect(at(500)).toBeCloseTo(0.1, 12);
    expect(at(749)).toBeCloseTo(0.1, 12);
    expect(at(750)).toBeCloseTo(0.01, 12);
    expect(at(999)).toBeCloseTo(0.01, 12);
  });

  it('counts a fractional milestone from the next whole step', () => {
    const schedule = { kind: 'step' as const, milestones: [0.5], factor: 0.5 };
    const at = learningRateAt({ learningRate: 1, schedule, warmupSteps: 0 }, 5);
    expect([at(2), at(3)]).toEqual([1, 0.5]);
  });

  it('falls as a cosine from the end of warm-up to its final fraction', () => {
    const schedule = { kind: 'cosine', finalFraction: 0.2 } as const;
    const at = learningRateAt({ learningRate: 0.5, schedule, warmupSteps: 10 }, 110);
    expect(at(9)).toBe(0.5);
    expect(at(10)).toBe(0.5);
    expect(at(60)).toBeCloseTo(0.5 * (0.2 + 0.4), 12);
    expect(at(109)).toBeGreaterThan(0.1);
    expect(at(109)).toBeLessThan(0.1002);
    expect(at(110)).toBeCloseTo(0.1, 12);
    for (let step = 10; step < 110; step++) expect(at(step + 1)).toBeLessThan(at(step));
  });

  it('stays finite when warm-up covers every step', () => {
    const schedule = { kind: 'cosine', finalFraction: 0 } as const;
    const at = learningRateAt({ learningRate: 1, schedule, warmupSteps: 10 }, 10);
    expect([at(9), at(10)]).toEqual([1, 1]);
  });
});
