import { faultSchema, type ArmedFault } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { ArmedFaults } from './armed-faults.js';

const armed = (id: string, fault: object): ArmedFault =>
  ({ id, fault: faultSchema.parse({ rank: 0, ...fault }) }) as ArmedFault;

describe('ArmedFaults', () => {
  it('strikes once, in its phase, at its step or the first later one that comes by', () => {
    const faults = new ArmedFaults();
    faults.replace([armed('a', { kind: 'kill', step: 5, phase: 'evaluation' })]);
    expect(faults.take('evaluation', 4)).toBeNull();
    expect(faults.take('vote', 5)).toBeNull();
    expect(faults.take('evaluation', 7)).toMatchObject({ id: 'a', isFirst: true });
    expect(faults.take('evaluation', 8)).toBeNull();
  });

  it('forgets what it is not told of again', () => {
    const faults = new ArmedFaults();
    faults.replace([armed('a', { kind: 'kill', step: 1, phase: 'vote' })]);
    faults.replace([]);
    expect(faults.take('vote', 1)).toBeNull();
  });

  it('strikes once in each of several steps', () => {
    const faults = new ArmedFaults();
    const hang = { kind: 'hang', step: 2, phase: 'compute', durationMs: 1, count: 3 };
    faults.replace([armed('h', hang)]);
    const strikes = [2, 2, 3, 3, 9, 10].map((step) => faults.take('compute', step)?.isFirst);
    expect(strikes).toEqual([true, undefined, false, undefined, false, undefined]);
  });

  it('hands the faults of either half of the ring to the thread that runs it', () => {
    const faults = new ArmedFaults();
    faults.replace([armed('r', { kind: 'corruptFrame', step: 3, phase: 'allGather' })]);
    expect(faults.takeForRing(2)).toBeNull();
    expect(faults.takeForRing(3)).toMatchObject({ id: 'r' });
    expect(faults.takeForRing(3)).toBeNull();
  });
});
