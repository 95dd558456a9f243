import { describe, expect, it } from 'vitest';
import { TrainingState } from './state.js';
import { ArithmeticEngine } from './testing/arithmetic-engine.js';

describe('a snapshot', () => {
  it('shares no memory with the state: whoever takes it may transfer it to a thread', () => {
    const engine = new ArithmeticEngine({ numFeatures: 2, numClasses: 3, laneSize: 4, seed: 1 });
    const auxiliary = new Map([['outer/momentum', { shape: [1], values: Float32Array.of(7) }]]);
    const state = new TrainingState(engine, auxiliary);
    const before = state.hash();
    const { tensors, exponents } = state.snapshot();
    const memory = [...tensors.values()].map(({ values }) => values.buffer as ArrayBuffer);
    structuredClone(tensors, { transfer: memory });
    exponents.fill(0);
    expect(tensors.get('outer/momentum')?.values).toHaveLength(0);
    expect(state.hash()).toBe(before);
  });
});
