import { lanesOfGroup, numLaneGroups, type JobSpec } from '@skipring/protocol';
import { compressedSlots } from './compression/compressed-slots.js';
import { initialFactor } from './compression/power-sgd.js';
import { OPTIMIZER_PREFIX, type TensorData, type TensorMap, type VectorLayout } from './engine.js';
import { countTensor, SKIPPED_STEPS } from './skipped-steps.js';

// Tensors of a job's state that the engine does not hold. They are stored with the optimizer's.

/** The outer optimizer's momentum of a parameter. */
export const outerName = (parameter: string): string => `${OPTIMIZER_PREFIX}outer/${parameter}`;

/** Where PowerSGD's next step starts for a parameter: the right thin matrix of the step before. */
export const factorName = (parameter: string): string => `${OPTIMIZER_PREFIX}powerSgd/${parameter}`;

/** A replica's own value of an optimizer slot, whose name has the prefix. */
export const keptName = (replica: number, slot: string): string =>
  `${OPTIMIZER_PREFIX}replica-${replica}/${slot.slice(OPTIMIZER_PREFIX.length)}`;

/**
 * What a job keeps besides its engine's state, as it is at the start.
 *
 * @param tensors the engine's state
 */
export function initialAuxiliary(
  spec: Pick<JobSpec, 'sync' | 'lanes' | 'seed'>,
  layout: VectorLayout,
  tensors: TensorMap,
): TensorMap {
  const { sync } = spec;
  const auxiliary = new Map<string, TensorData>([[SKIPPED_STEPS, countTensor(0)]]);
  if (sync.mode === 'diloco') {
    for (const { name, kind, shape, length } of layout.slots) {
      if (kind !== 'gradient') continue;
      auxiliary.set(outerName(name), { shape, values: new Float32Array(length) });
    }
  }
  if (sync.mode === 'allReduce' && sync.compression?.kind === 'powerSgd') {
    for (const slot of compressedSlots(layout, sync.compression)) {
      auxiliary.set(factorName(slot.name), initialFactor(slot, spec.seed));
    }
  }
  if (sync.mode !== 'allReduce' && sync.optimizerState === 'keep') {
    for (let replica = 0; replica < sync.replicas; replica++) {
      for (const [name, { shape, values }] of optimizerSlots(tensors)) {
        auxiliary.set(keptName(replica, name), { shape, values: values.slice() });
      }
    }
  }
  return auxiliary;
}

/** In order of their names: an order that all ranks share. */
export function optimizerSlots(tensors: TensorMap): [string, TensorData][] {
  const slots = [...tensors].filter(([name]) => name.startsWith(OPTIMIZER_PREFIX));
  return slots.sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Groups of lanes that a rank owns, which it owns whole.
 * @throws RangeError when it owns a part of one
 */
export function ownGroups(
  spec: Pick<JobSpec, 'sync' | 'lanes'>,
  lanes: readonly number[],
): number[] {
  const owned = new Set(lanes);
  const groups: number[] = [];
  for (let group = 0; group < numLaneGroups(spec); group++) {
    const members = lanesOfGroup(spec, group);
    const numOwned = members.filter((lane) => owned.has(lane)).length;
    if (numOwned === members.length) groups.push(group);
    else if (numOwned > 0) {
      const expected = `lanes ${members[0]} to ${members.at(-1)} on one rank`;
      throw new RangeError(
        `this rank has ${numOwned} lanes of group ${group}; expected ${expected}`,
      );
    }
  }
  return groups;
}
