import { describe, expect, it } from 'vitest';
import { allGather, allReduce, reduceScatter } from '../all-reduce.js';
import { barrier } from '../barrier.js';
import { packBfloat16 } from '../bfloat16.js';
import { broadcast } from '../broadcast.js';
import { chunkRange } from '../chunks.js';
import { EXCHANGE_LIMIT_BYTES } from '../exchange.js';
import { gather } from '../gather.js';
import type { Transport } from '../transport.js';
import type { Vector } from '../vector.js';
import { SharedMemory } from '../wasm/shared-memory.js';
import type { MakeGroup } from '../transport-group.js';
import {
  bitsOf,
  exchangeReference,
  randomVector,
  ringReference,
  seededUint32,
  type VectorType,
} from './vectors.js';

const options = { deadlineMs: 30_000 };
const worldSizes = [1, 2, 3, 4, 5, 8];
const types = ['int32', 'float32', 'int64'] as const;
const references = { ring: ringReference, exchange: exchangeReference };

export function sumConformance(makeGroup: MakeGroup): void {
  /** Runs `body` as every rank of a fresh ring. */
  async function run<T>(
    worldSize: number,
    segmentBytes: number,
    body: (transport: Transport) => Promise<T>,
  ): Promise<T[]> {
    const group = await makeGroup(worldSize, { segmentBytes });
    try {
      return await Promise.all(group.transports.map(body));
    } finally {
      await group.close();
    }
  }

  const inputsOf = (type: VectorType, length: number, worldSize: number): Vector[] =>
    Array.from({ length: worldSize }, (_, rank) => randomVector(type, length, 100 * length + rank));

  describe.each(worldSizes)('%i ranks', (worldSize) => {
    describe.each(types)('%s', (type) => {
      it.each([
        [0, 64],
        [1, 64],
        [7, 8],
        [1_000, 64],
        [1_000, 65_536],
        [300_000, 65_536],
        [300_000, 1_048_576],
      ])('allReduce of %i elements in segments of %i bytes', async (length, segmentBytes) => {
        const inputs = inputsOf(type, length, worldSize);
        const sums = { ring: ringReference(inputs), exchange: exchangeReference(inputs) };
        await run(worldSize, segmentBytes, async (transport) => {
          for (const algorithm of ['ring', 'exchange'] as const) {
            const vector = inputs[transport.rank]!.slice();
            await allReduce(transport, vector, { ...options, algorithm });
            const isRight = bitsOf(vector) === bitsOf(sums[algorithm]);
            expect(isRight, `${algorithm}, rank ${transport.rank}`).toBe(true);
          }
        });
      });
    });

    it.each(types)('allReduce to the maximum of %s', async (type) => {
      const inputs = inputsOf(type, 3_001, worldSize);
      await run(worldSize, 1_024, async (transport) => {
        for (const algorithm of ['ring', 'exchange'] as const) {
          const vector = inputs[transport.rank]!.slice();
          await allReduce(transport, vector, { ...options, algorithm, reduction: 'max' });
          expect(bitsOf(vector)).toBe(bitsOf(references[algorithm](inputs, 'max')));
        }
      });
    });

    it.each([
      [0, 64],
      [7, 16],
      [1_003, 256],
      [300_000, 65_536],
      [1_000_000, 1_048_576],
    ])(
      'allReduce of %i float32 as bfloat16, segments of %i bytes',
      async (length, segmentBytes) => {
        const inputs = inputsOf('float32', length, worldSize) as Float32Array[];
        const exact = ringReference(inputs) as Float32Array;
        for (const bfloat16 of [{ mode: 'nearest' }, { mode: 'stochastic', seed: 3 }] as const) {
          const results = await run(worldSize, segmentBytes, async (transport) => {
            const vector = inputs[transport.rank]!.slice();
            await allReduce(transport, vector, { ...options, bfloat16 });
            return vector;
          });
          expect(new Set(results.map(bitsOf)).size).toBe(1);
          const scale = (i: number) => inputs.reduce((sum, input) => sum + Math.abs(input[i]!), 0);
          // Each of worldSize roundings is off by 2^-8 of a partial sum, stochastic ones by 2^-7.
          const limit = worldSize === 1 ? 0 : worldSize * 2 ** -7;
          const isNear = results[0]!.every(
            (value, i) => Math.abs(value - exact[i]!) <= limit * scale(i),
          );
          expect(isNear).toBe(true);
        }
      },
    );

    it('the maximum of float32 as bfloat16 is the maximum, rounded once', async () => {
      const inputs = inputsOf('float32', 3_001, worldSize) as Float32Array[];
      const expected = ringReference(inputs, 'max') as Float32Array;
      if (worldSize > 1) packBfloat16(expected, new Uint8Array(2 * expected.length));
      await run(worldSize, 1_024, async (transport) => {
        const vector = inputs[transport.rank]!.slice();
        const wire = { bfloat16: { mode: 'nearest' }, reduction: 'max' } as const;
        await allReduce(transport, vector, { ...options, ...wire });
        expect(bitsOf(vector) === bitsOf(expected)).toBe(true);
      });
    });

    it('integer sums are the same by any algorithm', async () => {
      for (const type of ['int32', 'int64'] as const) {
        const inputs = inputsOf(type, 2_003, worldSize);
        const results = await run(worldSize, 512, async (transport) => {
          const [a, b] = [inputs[transport.rank]!.slice(), inputs[transport.rank]!.slice()];
          await allReduce(transport, a, { ...options, algorithm: 'ring' });
          await allReduce(transport, b, { ...options, algorithm: 'exchange' });
          return [bitsOf(a), bitsOf(b)];
        });
        expect(new Set(results.flat()).size).toBe(1);
      }
    });

    it('works in a SharedMemory as it does elsewhere, at any offset', async () => {
      const inputs = inputsOf('float32', 5_003, worldSize);
      const expected = bitsOf(ringReference(inputs));
      await run(worldSize, 4_096, async (transport) => {
        const memory = SharedMemory.allocate(100_000);
        const offset = memory.dataOffset + 4 * transport.rank;
        const vector = new Float32Array(memory.buffer, offset, 5_003);
        vector.set(inputs[transport.rank] as Float32Array);
        await allReduce(transport, vector, { ...options, algorithm: 'ring' });
        expect(bitsOf(vector)).toBe(expected);
      });
    });

    it('gather brings the bytes of every rank to the root', async () => {
      const parts = Array.from({ length: worldSize }, (_, rank) => {
        const next = seededUint32(rank);
        return Uint8Array.from({ length: 3_001 }, () => next() & 255);
      });
      await run(worldSize, 1_000, async (transport) => {
        for (let root = 0; root < worldSize; root++) {
          const own = parts[transport.rank]!;
          const target = transport.rank === root ? new Uint8Array(3_001 * worldSize) : null;
          await gather(transport, own, target, root, options);
          if (target !== null) expect(Buffer.compare(target, Buffer.concat(parts))).toBe(0);
        }
      });
    });

    it('reduceScatter leaves chunk r on rank r, allGather spreads it', async () => {
      const inputs = inputsOf('float32', 1_003, worldSize);
      const expected = ringReference(inputs);
      await run(worldSize, 256, async (transport) => {
        const vector = inputs[transport.rank]!;
        await reduceScatter(transport, vector, options);
        const { begin, end } = chunkRange(vector.length, worldSize, transport.rank);
        expect(bitsOf(vector.subarray(begin, end))).toBe(bitsOf(expected.subarray(begin, end)));
        await allGather(transport, vector, options);
        expect(bitsOf(vector)).toBe(bitsOf(expected));
      });
    });

    it('broadcast copies the bytes of any root', async () => {
      const next = seededUint32(worldSize);
      const message = Uint8Array.from({ length: 10_001 }, () => next() & 255);
      await run(worldSize, 1_000, async (transport) => {
        for (let root = 0; root < worldSize; root++) {
          const bytes = new Uint8Array(new SharedArrayBuffer(message.length));
          if (transport.rank === root) bytes.set(message);
          await broadcast(transport, bytes, root, options);
          expect(Buffer.compare(bytes, message)).toBe(0);
          await broadcast(transport, new Uint8Array(0), root, options);
        }
      });
    });

    it('barrier lets nobody pass before everybody came', async () => {
      let numArrived = 0;
      await run(worldSize, 64, async (transport) => {
        for (let lap = 1; lap <= 5; lap++) {
          for (let i = 0; i < transport.rank; i++) await new Promise(setImmediate);
          numArrived++;
          await barrier(transport, options);
          expect(numArrived).toBeGreaterThanOrEqual(lap * worldSize);
        }
      });
    });

    it('leaves in good order: what was sent before still arrives', async () => {
      const message = Uint8Array.from({ length: 5_000 }, (_, i) => i & 255);
      let rootLeft: () => void = () => undefined;
      const leaving = new Promise<void>((resolve) => (rootLeft = resolve));
      await run(worldSize, 64, async (transport) => {
        const bytes = transport.rank === 0 ? message.slice() : new Uint8Array(message.length);
        if (transport.rank > 0) await leaving;
        await broadcast(transport, bytes, 0, options);
        await transport.close();
        rootLeft();
        expect(Buffer.compare(bytes, message)).toBe(0);
      });
    });
  });

  it('gives the same float32 bits with any segment size', async () => {
    const results = new Set<string>();
    for (const segmentBytes of [4, 52, 4_096, 65_536]) {
      const inputs = inputsOf('float32', 2_000, 3);
      await run(3, segmentBytes, (t) =>
        allReduce(t, inputs[t.rank]!, { ...options, algorithm: 'ring' }),
      );
      for (const vector of inputs) results.add(bitsOf(vector));
    }
    expect(results.size).toBe(1);
  });

  it.each([undefined, 0, 400])('chooses the algorithm by size, limit %s', async (limitBytes) => {
    const limit = (limitBytes ?? EXCHANGE_LIMIT_BYTES) / 4;
    const group = await makeGroup(3, {
      segmentBytes: 65_536,
      ...(limitBytes === undefined ? {} : { exchangeLimitBytes: limitBytes }),
    });
    for (const [length, algorithm] of [
      [limit, 'exchange'],
      [limit + 1, 'ring'],
    ] as const) {
      const inputs = inputsOf('float32', length, 3);
      await Promise.all(
        group.transports.map(async (transport) => {
          const vector = inputs[transport.rank]!.slice();
          await allReduce(transport, vector, options);
          expect(bitsOf(vector) === bitsOf(references[algorithm](inputs))).toBe(true);
        }),
      );
    }
    await group.close();
  });

  it('keeps collectives apart that are under way at once', async () => {
    const inputs = Array.from({ length: 4 }, (_, i) => inputsOf('int32', 3_000 + i, 3));
    const expected = inputs.map((ranks) => bitsOf(ringReference(ranks)));
    await run(3, 128, async (transport) => {
      const vectors = inputs.map((ranks) => ranks[transport.rank]!);
      await Promise.all(
        vectors.map((vector) => allReduce(transport, vector, { ...options, algorithm: 'ring' })),
      );
      expect(vectors.map(bitsOf)).toEqual(expected);
    });
  });

  it.each([undefined, 20_000])(
    'serves a late rank that may hold %s bytes',
    async (maxHeldBytes) => {
      const inputs = inputsOf('int32', 50_000, 3);
      const expected = bitsOf(ringReference(inputs));
      const group = await makeGroup(3, {
        segmentBytes: 1_024,
        ...(maxHeldBytes === undefined ? {} : { maxHeldBytes }),
      });
      await Promise.all(
        group.transports.map(async (transport) => {
          if (transport.rank === 1) await new Promise((resolve) => setTimeout(resolve, 100));
          await allReduce(transport, inputs[transport.rank]!, options);
        }),
      );
      await group.close();
      for (const vector of inputs) expect(bitsOf(vector) === expected).toBe(true);
    },
  );

  it.each([
    {},
    { bfloat16: { mode: 'nearest' } },
    { bfloat16: { mode: 'stochastic', seed: 5 } },
  ] as const)('gives the same float32 bits to a late rank, with %j', async (wire) => {
    const inputs = inputsOf('float32', 50_000, 3);
    const reduced = (lateRank: number | null) =>
      run(3, 1_024, async (transport) => {
        const vector = inputs[transport.rank]!.slice();
        if (transport.rank === lateRank) await new Promise((resolve) => setTimeout(resolve, 100));
        await allReduce(transport, vector, { ...options, algorithm: 'ring', ...wire });
        return bitsOf(vector);
      });
    const [expected] = await reduced(null);
    for (const bits of await reduced(1)) expect(bits === expected).toBe(true);
  });

  it('counts the bytes that it sends', async () => {
    const sent = await run(4, 1_024, async (transport) => {
      await allReduce(transport, new Float32Array(4_000), { ...options, algorithm: 'ring' });
      return transport.bytesSent;
    });
    for (const bytes of sent) {
      expect(bytes).toBeGreaterThanOrEqual(24_000);
      expect(bytes).toBeLessThan(26_500);
    }
  });
}
