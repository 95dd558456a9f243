import { faultKinds } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { aimed, chaosKinds, disturbance, livingMs } from './plan.js';

const options = { seed: 7, numWorkers: 3, without: [] };
const many = Array.from({ length: 400 }, (_, number) => disturbance(options, number));

describe('a plan of disturbances', () => {
  it('is a function of the seed and the number', () => {
    expect(disturbance(options, 5)).toEqual(many[5]);
    expect(disturbance({ ...options, seed: 8 }, 5)).not.toEqual(many[5]);
  });

  it('has every kind, at every rank', () => {
    const kinds = new Set(many.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set([...faultKinds, 'killCoordinator']));
    const ranks = many.flatMap(({ fault }) =>
      fault === null || fault.kind === 'fillDisk' ? [] : [fault.rank],
    );
    expect(new Set(ranks)).toEqual(new Set([0, 1, 2]));
  });

  it('leaves out what it is told to', () => {
    const without = chaosKinds.filter((kind) => kind !== 'hang');
    for (const number of [0, 1, 2]) {
      expect(disturbance({ ...options, without }, number).kind).toBe('hang');
    }
  });

  it('kills no process in the second half', () => {
    expect(livingMs(1_800_000)).toBe(900_000);
  });

  it('aims at a step that is still to come and a rank that is there', () => {
    const fault = { kind: 'kill', rank: 2, step: 3, phase: 'vote' } as const;
    expect(aimed(fault, 40, 2)).toEqual({ ...fault, step: 43, rank: 0 });
  });
});
