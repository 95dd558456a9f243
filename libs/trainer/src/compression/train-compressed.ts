import { advance, samplesInStep } from '@skipring/data';
import type { CompressionSpec } from '@skipring/protocol';
import { agree } from '../agree.js';
import { factorName } from '../auxiliary.js';
import type { TensorData } from '../engine.js';
import { TrainerError } from '../errors.js';
import type { Generation } from '../generation.js';
import { checksumOf, requireSamples, type StepSums } from '../reduced-vector.js';
import type { Stopwatch } from '../stopwatch.js';
import { nextPeriod } from '../sync/periods.js';
import type { Period } from '../sync/train-period.js';
import { compressedSlots, type CompressedSlot } from './compressed-slots.js';
import type { Compressor } from './compressor.js';
import { compressedStep } from './compressed-step.js';
import { LaneErrors } from './lane-errors.js';
import { PowerSgd } from './power-sgd.js';
import { topK } from './top-k.js';
import { whole } from './whole.js';

/**
 * Trains through the next period with compressed gradients, and commits it. Its last step is sent whole,
 * with all that compression left out since the period began (error reset: Xie et al. 2020), so that no
 * committed state holds what one rank alone knows: no checkpoint has to gather it, and no death loses it.
 * Whatever rejects before the commit leaves the state at the period's beginning.
 *
 * @throws TrainerError also APPLY_FAILED: then the engine's state is of no position
 */
export async function trainCompressed(g: Generation, watch: Stopwatch): Promise<Period> {
  const { engine } = g.state;
  const before = engine.readState();
  try {
    return await runPeriod(g, watch);
  } catch (error) {
    try {
      engine.writeState(before);
    } catch (cause) {
      const message = `step ${g.state.position.step}: the state could not be put back`;
      throw new TrainerError('APPLY_FAILED', message, false, { cause });
    }
    throw error;
  }
}

async function runPeriod(g: Generation, watch: Stopwatch): Promise<Period> {
  const { state, spec } = g;
  const numSteps = nextPeriod(spec, state.position.step, g.totalSteps);
  const slots = compressedSlots(state.engine.layout, compressionOf(g));
  const { compress, factors } = compressorOf(g, slots);
  const errors = new LaneErrors(slots, g.lanes);
  let { position, exponents } = state;
  const sums: StepSums[] = [];
  let [samples, numRepeats] = [0, 0];
  const checksum: [number, number] = [0, 0];
  while (sums.length < numSteps) {
    g.signal.throwIfAborted();
    const isLast = sums.length === numSteps - 1;
    const how = isLast ? whole(slots, exponentsOf(slots, exponents), spec.lanes.count) : compress;
    const step = await compressedStep(
      g,
      { position, exponents, slots, errors, isLast },
      how,
      watch,
    );
    requireSamples(step.sums, samplesInStep(position, g.numSamples, spec.lanes), position.step + 1);
    checksumOf(g.vector).forEach((word, i) => {
      checksum[i] = (Math.imul(checksum[i] ?? 0, 31) + word) | 0;
    });
    sums.push(step.sums);
    samples += step.samples;
    numRepeats += step.numRepeats;
    exponents = step.nextExponents;
    position = advance(position, g.numSamples, spec.lanes);
  }
  await watch.time('commitMs', async () => {
    await g.onPhase('vote', position.step);
    await agree(g, checksum, []);
  });
  state.auxiliary = new Map([...state.auxiliary, ...factors()]);
  state.exponents = exponents;
  state.position = position;
  return { sums, samples, numRepeats };
}

function compressionOf({ spec: { sync } }: Generation): CompressionSpec {
  if (sync.mode === 'allReduce' && sync.compression !== undefined) return sync.compression;
  throw new RangeError(`sync.mode is ${sync.mode}, without compression; expected compression`);
}

/** How the period's steps but the last are sent, and what of it is part of the state afterwards. */
function compressorOf(
  g: Generation,
  slots: readonly CompressedSlot[],
): { compress: Compressor; factors: () => [string, TensorData][] } {
  const spec = compressionOf(g);
  const numLanes = g.spec.lanes.count;
  if (spec.kind === 'topK') {
    return { compress: topK(slots, spec.fraction, numLanes), factors: () => [] };
  }
  const stored = slots.map(({ name }) => {
    const factor = g.state.auxiliary.get(factorName(name));
    if (factor === undefined) throw new RangeError(`the state has no ${factorName(name)}`);
    return factor;
  });
  const powerSgd = new PowerSgd(
    slots,
    stored.map(({ values }) => values),
    exponentsOf(slots, g.state.exponents),
    numLanes,
  );
  const factors = (): [string, TensorData][] =>
    powerSgd.currentFactors.map((values, i) => {
      const { name, columns, rank } = slots[i]!;
      return [factorName(name), { shape: [columns, rank], values }];
    });
  return { compress: powerSgd.compress, factors };
}

function exponentsOf(slots: readonly CompressedSlot[], exponents: Int32Array): Int32Array {
  return Int32Array.from(slots, ({ index }) => exponents[index] ?? 0);
}
