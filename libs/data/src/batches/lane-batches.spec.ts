import { afterEach, describe, expect, it } from 'vitest';
import { makeLaneBatch } from '../samples/lane-batch.js';
import { SampleSource } from '../samples/sample-source.js';
import { Sampler } from '../sampling/sampler.js';
import { LaneBatches, type LaneBatchesOptions } from './lane-batches.js';
import { laneWalk } from './lane-walk.js';

const shape = { height: 6, width: 5, channels: 1 };
const manifest = { ...shape, mean: [0.4], standardDeviation: [0.2] };
const numSamples = 53;
const spec = {
  seed: 11,
  lanes: { count: 4, size: 5 },
  augmentation: { cropPadding: 2, flip: true },
};

function makeSource(): SampleSource {
  const source = SampleSource.allocate(shape, numSamples);
  for (let i = 0; i < source.bytes.length; i++) source.bytes[i] = (i * 31) % 251;
  return source;
}

describe('LaneBatches', () => {
  const open: LaneBatches[] = [];
  const source = makeSource();

  async function start(options: Partial<LaneBatchesOptions> = {}): Promise<LaneBatches> {
    const batches = await LaneBatches.start({ source, manifest, spec, depth: 3, ...options });
    open.push(batches);
    return batches;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((batches) => batches.close()));
  });

  /** Takes `turns` batches and compares each with the same one made directly. */
  async function expectTurns(
    batches: LaneBatches,
    from: { epoch: number; stepInEpoch: number },
    lanes: number[],
    turns: number,
  ): Promise<void> {
    const sampler = new Sampler({ seed: spec.seed, lanes: spec.lanes, numSamples });
    const walk = laneWalk(from, lanes, sampler.stepsPerEpoch);
    for (let turn = 0; turn < turns; turn++) {
      const { epoch, stepInEpoch, lane } = walk.next().value;
      const ids = sampler.laneSamples(epoch, stepInEpoch, lane);
      const { seed, augmentation } = spec;
      const expected = makeLaneBatch(source, manifest, ids, { seed, epoch, augmentation });
      expect(await batches.next(lane)).toEqual(expected);
    }
  }

  it('yields what a direct computation yields, into the next epochs', async () => {
    const batches = await start();
    batches.seek({ epoch: 0, stepInEpoch: 0 }, [0, 1, 2, 3]);
    await expectTurns(batches, { epoch: 0, stepInEpoch: 0 }, [0, 1, 2, 3], 30);
    expect(batches.waitMs).toBeGreaterThanOrEqual(0);
  });

  it('drops what it made ahead when it seeks', async () => {
    const batches = await start({ depth: 8 });
    batches.seek({ epoch: 0, stepInEpoch: 0 }, [1, 2]);
    await expectTurns(batches, { epoch: 0, stepInEpoch: 0 }, [1, 2], 3);
    batches.seek({ epoch: 7, stepInEpoch: 2 }, [3, 0]);
    await expectTurns(batches, { epoch: 7, stepInEpoch: 2 }, [0, 3], 9);
    batches.seek({ epoch: 0, stepInEpoch: 1 }, [2]);
    batches.seek({ epoch: 0, stepInEpoch: 2 }, [2]);
    await expectTurns(batches, { epoch: 0, stepInEpoch: 2 }, [2], 4);
  });

  it('drops batches of an earlier seek that are still on their way', async () => {
    const batches = await start();
    batches.seek({ epoch: 0, stepInEpoch: 0 }, [0]);
    // Compute blocks its thread, so what the other one sends meanwhile waits in the port.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    batches.seek({ epoch: 1, stepInEpoch: 1 }, [0]);
    await expectTurns(batches, { epoch: 1, stepInEpoch: 1 }, [0], 5);
  });

  it('yields an empty batch for a lane beyond the end of a short step', async () => {
    const batches = await start();
    batches.seek({ epoch: 0, stepInEpoch: 2 }, [2, 3]);
    expect((await batches.next(2)).samples).toBe(3);
    const empty = await batches.next(3);
    expect(empty.samples).toBe(0);
    expect(empty.images).toHaveLength(0);
  });

  it('refuses a lane out of turn, and keeps the batch', async () => {
    const batches = await start();
    await expect(batches.next(0)).rejects.toMatchObject({ code: 'NOT_POSITIONED' });
    batches.seek({ epoch: 0, stepInEpoch: 0 }, [0, 1]);
    await expect(batches.next(1)).rejects.toMatchObject({ code: 'LANE_ORDER' });
    await expectTurns(batches, { epoch: 0, stepInEpoch: 0 }, [0, 1], 2);
  });

  it('refuses positions and lanes that do not exist', async () => {
    const batches = await start();
    const seek = (stepInEpoch: number, lanes: number[]) => () => {
      batches.seek({ epoch: 0, stepInEpoch }, lanes);
    };
    expect(seek(3, [0])).toThrow(/stepInEpoch is 3/);
    expect(seek(0, [4])).toThrow(/lane is 4/);
    expect(seek(0, [1, 1])).toThrow(/lanes are 1, 1; expected each once/);
    batches.seek({ epoch: 0, stepInEpoch: 0 }, []);
    await expect(batches.next(0)).rejects.toMatchObject({ code: 'NOT_POSITIONED' });
  });

  it('fails to start on statistics that do not fit the source', async () => {
    const wrong = { ...manifest, height: 7 };
    await expect(start({ manifest: wrong })).rejects.toMatchObject({
      code: 'BATCH_THREAD_FAILED',
      message: expect.stringContaining('source is 6x5x1; expected 7x5x1') as string,
    });
  });

  it('rejects a wait that is under way when it closes, and leaves no thread', async () => {
    const threads = () =>
      process.getActiveResourcesInfo().filter((name) => /Worker|Port/.test(name));
    const before = threads().length;
    const batches = await start({ depth: 1 });
    expect(threads().length).toBeGreaterThan(before);
    batches.seek({ epoch: 0, stepInEpoch: 0 }, [0]);
    await batches.next(0);
    await batches.next(0);
    const waiting = batches.next(0);
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await batches.close();
    await rejected;
    await batches.close();
    await expect(batches.next(0)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(threads().length).toBe(before);
  });
});
