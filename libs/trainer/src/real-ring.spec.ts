import { allReduce, broadcast, CollectiveError, inProcessGroup } from '@skipring/collective';
import type { Transport } from '@skipring/collective';
import { describe, expect, it } from 'vitest';
import type { Collective } from './ports.js';
import { SimulatedJob } from './testing/simulated-job.js';
import type { SimulatedRing } from './testing/simulated-job.js';

/** The segmented ring of the collective room, under the trainer's port. */
class RingCollective implements Collective {
  readonly bytesSent = 0;
  readonly busyMs = 0;
  constructor(private readonly transport: Transport) {}
  get rank(): number {
    return this.transport.rank;
  }
  get worldSize(): number {
    return this.transport.worldSize;
  }
  allReduce(
    vector: Int32Array | Float32Array,
    deadlineMs: number,
    wire?: 'bfloat16',
  ): Promise<void> {
    return allReduce(this.transport, vector, {
      deadlineMs,
      ...(wire === 'bfloat16' && { bfloat16: { mode: 'nearest' } }),
    });
  }
  broadcast(bytes: Uint8Array, root: number, deadlineMs: number): Promise<void> {
    return broadcast(this.transport, bytes, root, { deadlineMs });
  }
}

/** A ring of `worldSize` ranks; `crash` takes one off it as its death would. */
function connect(worldSize: number): SimulatedRing & {
  crash(rank: number): void;
  close(): Promise<void>;
} {
  const group = inProcessGroup(worldSize, { segmentBytes: 64 });
  return {
    collectives: group.transports.map((transport) => new RingCollective(transport)),
    abort: (message) => {
      for (const transport of group.transports) {
        transport.abort(new CollectiveError('CLOSED', message));
      }
    },
    crash: (rank) => {
      group.crash(rank);
    },
    close: () => group.close(),
  };
}

describe('over the ring of the collective room', () => {
  const lanes = [[1], [0, 3], [2]];

  it('gives the same bits as on one rank, also after a rank crashed at any sample', async () => {
    const alone = new SimulatedJob({}, { numSamples: 53 });
    await alone.run({ lanes: [[0, 1, 2, 3]] });
    let numSamples = 0;
    for (const crashAt of [Infinity, 1, 20, 33, 50, 70, 100]) {
      const ring = connect(lanes.length);
      numSamples = 0;
      const onSample = (): void => {
        if (++numSamples === crashAt) ring.crash(1);
      };
      const job = new SimulatedJob({}, { numSamples: 53, onSample });
      const outcomes = await job.run({ lanes, ring });
      await ring.close();
      const kind = crashAt === Infinity ? 'finished' : 'aborted';
      expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind, kind, kind]);
      job.lose(1);
      await job.run({
        lanes: [
          [2, 0],
          [1, 3],
        ],
        workers: [0, 2],
      });
      expect(job.snapshots.at(-1)).toEqual(alone.snapshots.at(-1));
    }
  });

  it('sums gradients sent as bfloat16: replicas agree, near the float32 model', async () => {
    const modelOf = async (reduction: 'float32' | 'bfloat16'): Promise<Float32Array> => {
      const job = new SimulatedJob({ reduction }, { numSamples: 53 });
      const ring = connect(lanes.length);
      const outcomes = await job.run({ lanes, ring });
      await ring.close();
      expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished']);
      expect(job.evaluations.at(-1)?.samples).toBe(50);
      return job.snapshots.at(-1)!.tensors.get('dense/kernel')!.values;
    };
    const [plain, rounded] = [await modelOf('float32'), await modelOf('bfloat16')];
    expect(rounded).not.toEqual(plain);
    const largest = Math.max(...plain.map(Math.abs));
    plain.forEach((value, i) => {
      expect(Math.abs(rounded[i]! - value)).toBeLessThan(0.02 * largest);
    });
  });
});
