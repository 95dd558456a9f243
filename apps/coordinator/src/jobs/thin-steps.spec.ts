import type { StepRecord } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { StepThinner } from './thin-steps.js';

function history(numSteps: number): StepRecord[] {
  return Array.from({ length: numSteps }, (_, index) => ({
    step: index + 1,
    epoch: 0,
    cursor: index + 1,
    loss: Math.sin(index * 12.9898) + 2,
    accuracy: Math.abs(Math.sin(index * 78.233)),
    learningRate: 1 - index / numSteps,
    samples: 128,
    stepMs: 100 + (index % 17),
    timeMs: index,
  }));
}

function thin(steps: readonly StepRecord[], points: number, fromStep = 1): StepRecord[] {
  const thinner = new StepThinner({ fromStep, toStep: steps.at(-1)?.step ?? 1 }, points);
  for (const step of steps) thinner.observe(step);
  return thinner.thinned();
}

describe('StepThinner', () => {
  it('keeps every step of a short history', () => {
    const steps = history(90);
    expect(thin(steps, 90)).toEqual(steps);
  });

  it('keeps about so many of a long one, in order, each as it was', () => {
    const steps = history(10_000);
    const kept = thin(steps, 900);
    expect(kept.length).toBeGreaterThan(450);
    expect(kept.length).toBeLessThanOrEqual(900);
    expect(kept.map(({ step }) => step)).toEqual(
      [...new Set(kept.map(({ step }) => step))].sort((a, b) => a - b),
    );
    for (const step of kept) expect(steps[step.step - 1]).toEqual(step);
  });

  it('loses no extreme, of the whole or of any bucket', () => {
    const steps = history(5_000);
    steps[3_333] = { ...steps[3_333]!, loss: 99 };
    const kept = thin(steps, 450);
    const width = 100;
    for (let first = 0; first < steps.length; first += width) {
      const inBucket = steps.slice(first, first + width);
      const keptOfIt = kept.filter(({ step }) => step > first && step <= first + width);
      for (const value of ['loss', 'accuracy', 'learningRate', 'stepMs'] as const) {
        const all = inBucket.map((step) => step[value]);
        const some = keptOfIt.map((step) => step[value]);
        expect(Math.max(...some)).toBe(Math.max(...all));
        expect(Math.min(...some)).toBe(Math.min(...all));
      }
      expect(keptOfIt[0]).toEqual(inBucket[0]);
    }
  });

  it('goes on with a history that has grown, as long as its buckets are as wide', () => {
    const steps = history(10_000);
    const thinner = new StepThinner({ fromStep: 1, toStep: 9_950 }, 900);
    for (const step of steps.slice(0, 9_950)) thinner.observe(step);
    expect(thinner.thinned()).toEqual(thin(steps.slice(0, 9_950), 900));
    const grown = { fromStep: 1, toStep: 10_000 };
    expect(thinner.fits(grown, 900)).toBe(true);
    for (const step of steps.slice(thinner.nextStep - 1)) thinner.observe(step);
    expect(thinner.thinned()).toEqual(thin(steps, 900));
    expect(thinner.fits({ fromStep: 1, toStep: 20_000 }, 900)).toBe(false);
    expect(thinner.fits({ fromStep: 2, toStep: 10_000 }, 900)).toBe(false);
    // Of a job that went back to an earlier step.
    expect(thinner.fits({ fromStep: 1, toStep: 9_960 }, 900)).toBe(false);
  });

  it('is of a history that begins late, and of none', () => {
    const steps = history(1_000).slice(900);
    expect(thin(steps, 100, 901)).toEqual(steps);
    expect(thin(steps, 9).length).toBeLessThanOrEqual(18);
    expect(thin([], 10)).toEqual([]);
  });
});
