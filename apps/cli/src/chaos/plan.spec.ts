import { faultKinds } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { aimed, disturbance, livingMs } from './plan.js';

const options = { seed: 7, numWorkers: 3, mayKillCoordinator: true, mayKill: true };
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

  it('leaves a coordinator alone that nobody would start again', () => {
    const kinds = many.map(
      (_, number) => disturbance({ ...options, mayKillCoordinator: false }, number).kind,
    );
    expect(kinds).not.toContain('killCoordinator');
  });

  it('kills no process towards the end', () => {
    const kinds = many.map((_, number) => disturbance({ ...options, mayKill: false }, number).kind);
    expect(kinds).toContain('freeze');
    expect(kinds.filter((kind) => kind.startsWith('kill'))).toEqual([]);
    expect([1, 3, 30].map((minutes) => livingMs(minutes * 60_000) / 60_000)).toEqual([
      0.5, 1.5, 10,
    ]);
  });

  it('aims at a step that is still to come and a rank that is there', () => {
    const fault = { kind: 'kill', rank: 2, step: 3, phase: 'vote' } as const;
    expect(aimed(fault, 40, 2)).toEqual({ ...fault, step: 43, rank: 0 });
  });
});
