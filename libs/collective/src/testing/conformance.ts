import { describe } from 'vitest';
import { failureConformance } from './failure-conformance.js';
import { sumConformance } from './sum-conformance.js';
import type { MakeGroup } from '../transport-group.js';

/** What every Transport must do: the collectives' results, and how they fail. */
export function transportConformance(name: string, makeGroup: MakeGroup): void {
  describe(`${name} as a Transport`, () => {
    sumConformance(makeGroup);
    failureConformance(makeGroup);
  });
}
