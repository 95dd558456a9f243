import { BatchMaker, LaneBatches, SampleSource, type LaneBatch } from '@skipring/data';
import { afterEach, describe, expect, it } from 'vitest';
import type { BatchSource } from './ports.js';
import { NUM_CLASSES, NUM_FEATURES, SimulatedJob } from './testing/simulated-job.js';

// Prime: no batch size divides it. Two bytes are needed to write an id down.
const NUM_SAMPLES = 499;
const lanes = { count: 4, size: 4 };
const STEPS_PER_EPOCH = 32;
const shape = { height: 1, width: NUM_FEATURES, channels: 1 };
/** A pixel is then its byte / 255. */
const manifest = { ...shape, mean: [0], standardDeviation: [1] };

/** Samples whose first two pixels are their id, so that a batch tells what was read. */
function selfNamingSamples(): SampleSource {
  const source = SampleSource.allocate(shape, NUM_SAMPLES);
  for (let id = 0; id < NUM_SAMPLES; id++) {
    const offset = source.pixelOffset(id);
    source.bytes[offset - 2] = id % NUM_CLASSES;
    source.bytes.set([id & 255, id >> 8, (id * 7) & 255, (id * 13) & 255, 128], offset);
  }
  return source;
}

function idsIn({ images, samples }: LaneBatch): number[] {
  const byte = (index: number): number => Math.round(images[index]! * 255);
  return Array.from({ length: samples }, (_, sample) => {
    const first = sample * NUM_FEATURES;
    return byte(first) + 256 * byte(first + 1);
  });
}

/** A lane as a worker read it. */
interface Reading {
  /** From 0, of the whole job. */
  readonly step: number;
  readonly ids: readonly number[];
}

/** The batches of a real worker, with a record of what was taken. */
class RecordedBatches implements BatchSource {
  readonly numEvaluationBatches = 1;
  readonly evaluationBatchSize = 128;
  private readonly nextStep = new Map<number, number>();

  constructor(
    private readonly batches: LaneBatches,
    private readonly source: SampleSource,
    private readonly readings: Reading[],
  ) {}

  seek(position: { epoch: number; stepInEpoch: number }, owned: readonly number[]): void {
    this.batches.seek(position, owned);
    const step = position.epoch * STEPS_PER_EPOCH + position.stepInEpoch;
    for (const lane of owned) this.nextStep.set(lane, step);
  }

  async next(lane: number): Promise<LaneBatch> {
    const batch = await this.batches.next(lane);
    const step = this.nextStep.get(lane)!;
    this.nextStep.set(lane, step + 1);
    this.readings.push({ step, ids: idsIn(batch) });
    return batch;
  }

  evaluation(): LaneBatch {
    return new BatchMaker(this.source, manifest).plainBatch(Uint32Array.of(0, 1, 2));
  }
}

describe('what workers read of the real sampler and batch threads', () => {
  const open: LaneBatches[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((batches) => batches.close()));
  });

  it('is every sample once an epoch, with three ranks and members that change in mid-epoch', async () => {
    const source = selfNamingSamples();
    const readings: Reading[] = [];
    const augmentation = { cropPadding: 0, flip: false };
    const spec = { seed: 1, lanes, augmentation };
    for (let worker = 0; worker < 4; worker++) {
      open.push(await LaneBatches.start({ source, manifest, spec, depth: 8 }));
    }
    const job = new SimulatedJob(
      { lanes },
      {
        numSamples: NUM_SAMPLES,
        batchesOf: (worker) => new RecordedBatches(open[worker]!, source, readings),
      },
    );
    const failing = (at: number) => (operation: number) =>
      operation === at ? { deliveredTo: [] } : null;
    const committed: Reading[] = [];
    /** What a discarded step read was never applied: it is read again. */
    const keepCommitted = (step: number): void => {
      const taken = readings.splice(0);
      expect(taken.some((reading) => reading.step === step)).toBe(true);
      committed.push(...taken.filter((reading) => reading.step < step));
    };

    // Worker 2 is lost in mid-epoch; worker 3, which is new, takes a part in mid-epoch.
    await job.run({ lanes: [[0, 1], [2], [3]], faults: failing(25) });
    const first = job.stateOf(0).position;
    keepCommitted(first.step);
    job.lose(2);
    await job.run({
      lanes: [[0, 1, 2], [3]],
      workers: [0, 1],
      faults: failing(20),
    });
    const second = job.stateOf(0).position;
    keepCommitted(second.step);
    const outcomes = await job.run({ lanes: [[0], [1, 2], [3]], workers: [1, 3, 0] });
    committed.push(...readings);

    expect(first.step).toBeGreaterThan(0);
    expect(second.step).toBeGreaterThan(first.step);
    expect(second.step).toBeLessThan(STEPS_PER_EPOCH);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished']);
    const all = Array.from({ length: NUM_SAMPLES }, (_, id) => id);
    for (const epoch of [0, 1]) {
      const read = committed.filter(({ step }) => Math.floor(step / STEPS_PER_EPOCH) === epoch);
      const ids = read.flatMap((reading) => reading.ids);
      expect(ids.sort((a, b) => a - b)).toEqual(all);
    }
  });
});
