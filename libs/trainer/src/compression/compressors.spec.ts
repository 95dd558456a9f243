import { describe, expect, it } from 'vitest';
import type { CompressedSlot } from './compressed-slots.js';
import type { Compressor } from './compressor.js';
import { sumExactly } from './exact-sum.js';
import { LaneErrors } from './lane-errors.js';
import { orthonormalise } from './matrix.js';
import { initialFactor, PowerSgd } from './power-sgd.js';
import { largest, topK } from './top-k.js';
import { whole } from './whole.js';

const [ROWS, COLUMNS, RANK] = [24, 10, 2];
const NUM_LANES = 3;
const SLOT: CompressedSlot = {
  name: 'kernel',
  index: 0,
  offset: 0,
  length: ROWS * COLUMNS,
  rows: ROWS,
  columns: COLUMNS,
  rank: RANK,
};
const EXPONENTS = Int32Array.of(24);
/** One rank: what it adds up is its own. */
const alone = (parts: readonly Int32Array[]): Promise<Int32Array[]> =>
  Promise.resolve(parts.map((part) => part.slice()));

let state = 7;
/** A linear congruential generator (Knuth and Lewis), from -1 to 1. */
function uniform(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 31 - 1;
}
/** Gradients of each lane with a few large directions, as those of networks have. */
function gradients(): Float32Array[] {
  return Array.from({ length: NUM_LANES }, () => {
    const [left, right] = [ROWS, COLUMNS].map((size) => Array.from({ length: size }, uniform));
    return Float32Array.from(
      { length: SLOT.length },
      (_, i) => left![Math.floor(i / COLUMNS)]! * right![i % COLUMNS]! + 0.2 * uniform(),
    );
  });
}

/** Sums and errors step after step, with error feedback. */
async function run(
  compress: Compressor,
  steps: readonly Float32Array[][],
): Promise<Float64Array[]> {
  const errors = new LaneErrors([SLOT], [0, 1, 2]);
  const sums: Float64Array[] = [];
  for (const lanes of steps) {
    const deltas = lanes.map((values, lane) => errors.plus(lane, [values], 1));
    const compressed = await compress(deltas, new Int32Array(0), alone);
    compressed.accept();
    deltas.forEach((delta, i) => {
      errors.keep(delta, compressed.sent[i]!, 1);
    });
    sums.push(compressed.sums[0]!);
  }
  return sums;
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

function expectClose(found: Float64Array, expected: readonly number[], tolerance: number): void {
  const difference = norm(expected.map((value, i) => value - found[i]!));
  expect(difference / norm(expected)).toBeLessThan(tolerance);
}

describe('PowerSgd', () => {
  it('is algorithm 1 of the paper, by the sum of all lanes, in float64', async () => {
    const factor = initialFactor(SLOT, 1).values;
    const steps = Array.from({ length: 8 }, gradients);
    const found = await run(new PowerSgd([SLOT], [factor], EXPONENTS, NUM_LANES).compress, steps);

    let q = Array.from({ length: COLUMNS }, (_, c) => [
      ...factor.subarray(c * RANK, (c + 1) * RANK),
    ]);
    let error = new Array<number>(SLOT.length).fill(0);
    steps.forEach((lanes, step) => {
      const m = error.map((left, i) => left + lanes.reduce((sum, lane) => sum + lane[i]!, 0));
      const at = (r: number, c: number): number => m[r * COLUMNS + c]!;
      const p = Array.from({ length: ROWS }, (_, r) =>
        Array.from({ length: RANK }, (__, k) =>
          q.reduce((sum, row, c) => sum + at(r, c) * row[k]!, 0),
        ),
      );
      // Two columns: Gram-Schmidt in full.
      const scale = (k: number, by: number): void => {
        p.forEach((row) => (row[k] = row[k]! * by));
      };
      scale(0, 1 / norm(p.map((row) => row[0]!)));
      const share = p.reduce((sum, row) => sum + row[0]! * row[1]!, 0);
      p.forEach((row) => (row[1] = row[1]! - share * row[0]!));
      scale(1, 1 / norm(p.map((row) => row[1]!)));
      q = q.map((_, c) =>
        Array.from({ length: RANK }, (__, k) =>
          p.reduce((sum, row, r) => sum + at(r, c) * row[k]!, 0),
        ),
      );
      const approximation = m.map((_, i) =>
        p[Math.floor(i / COLUMNS)]!.reduce((sum, x, k) => sum + x * q[i % COLUMNS]![k]!, 0),
      );
      error = m.map((value, i) => value - approximation[i]!);
      expectClose(found[step]!, approximation, 1e-5);
    });
  });

  it('finds a matrix of its rank in full', async () => {
    const [left, right] = [
      Array.from({ length: ROWS }, uniform),
      Array.from({ length: COLUMNS }, uniform),
    ];
    const lane = Float32Array.from(
      { length: SLOT.length },
      (_, i) => left[Math.floor(i / COLUMNS)]! * right[i % COLUMNS]!,
    );
    const factor = initialFactor(SLOT, 3).values;
    const { compress } = new PowerSgd([SLOT], [factor], EXPONENTS, NUM_LANES);
    const [sum] = await run(compress, [[lane, lane, lane]]);
    expectClose(
      sum!,
      [...lane].map((value) => 3 * value),
      1e-6,
    );
  });

  it('outlives a gradient of zeros', async () => {
    const factor = initialFactor(SLOT, 3).values;
    const { compress } = new PowerSgd([SLOT], [factor], EXPONENTS, NUM_LANES);
    const zeros = Array.from({ length: NUM_LANES }, () => new Float32Array(SLOT.length));
    const [none, some] = await run(compress, [zeros, gradients()]);
    expect(norm(none!)).toBe(0);
    expect(norm(some!)).toBeGreaterThan(0);
  });
});

describe('top-k', () => {
  it('sends the largest magnitudes, of equal ones the first', () => {
    const values = Float32Array.of(1, -7, 3, -3, 0, 3, 1e-40, 7);
    expect([...largest(values, 1)]).toEqual([1]);
    expect([...largest(values, 2)]).toEqual([1, 7]);
    expect([...largest(values, 4)]).toEqual([1, 2, 3, 7]);
    expect([...largest(values, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('agrees with a sort', () => {
    const values = Float32Array.from(
      { length: 5_000 },
      () => uniform() * 2 ** Math.floor(20 * uniform()),
    );
    const sorted = [...values.keys()].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!));
    for (const count of [1, 17, 500, 4_999]) {
      const expected = sorted.slice(0, count).sort((a, b) => a - b);
      expect([...largest(values, count)]).toEqual(expected);
    }
  });

  it('is what a plain reference finds', async () => {
    const steps = Array.from({ length: 6 }, gradients);
    const count = Math.ceil(0.05 * SLOT.length);
    const found = await run(topK([SLOT], 0.05, NUM_LANES), steps);
    const errors = Array.from({ length: NUM_LANES }, () => new Float32Array(SLOT.length));
    steps.forEach((lanes, step) => {
      const sum = new Array<number>(SLOT.length).fill(0);
      lanes.forEach((lane, l) => {
        const delta = lane.map((value, i) => value + errors[l]![i]!);
        const order = [...delta.keys()].sort((a, b) => Math.abs(delta[b]!) - Math.abs(delta[a]!));
        for (const place of order.slice(0, count)) {
          sum[place] = sum[place]! + delta[place]!;
          delta[place] = 0;
        }
        errors[l] = delta;
      });
      expect([...found[step]!]).toEqual(sum);
    });
  });
});

describe('error feedback', () => {
  it.each([
    [
      'PowerSGD',
      () => new PowerSgd([SLOT], [initialFactor(SLOT, 1).values], EXPONENTS, 3).compress,
    ],
    ['top-k', () => topK([SLOT], 0.05, NUM_LANES)],
  ])('of %s loses nothing: a whole step at the end has all that was left out', async (_, make) => {
    const steps = Array.from({ length: 9 }, gradients);
    const last = whole([SLOT], EXPONENTS, NUM_LANES);
    const compress = make();
    let step = 0;
    const found = await run(
      (...given) => (++step < 9 ? compress(...given) : last(...given)),
      steps,
    );
    const total = (i: number): number => found.reduce((sum, values) => sum + values[i]!, 0);
    const expected = Array.from({ length: SLOT.length }, (__, i) =>
      steps.flat().reduce((sum, lane) => sum + lane[i]!, 0),
    );
    expectClose(
      Float64Array.from(expected, (__, i) => total(i)),
      expected,
      1e-5,
    );
  });
});

describe('sumExactly', () => {
  it('adds up again with a smaller exponent where a value does not fit', async () => {
    const lanes = [[Float64Array.of(1e6, -3)], [Float64Array.of(1e6, 1)]];
    const rest = Int32Array.of(5);
    const sum = await sumExactly(lanes, [2], Int32Array.of(30), 2, rest, alone);
    expect([...sum.sums[0]!]).toEqual([2e6, -2]);
    expect(sum.exponents[0]).toBeLessThan(11);
    expect([...sum.rest]).toEqual([5]);
  });

  it('names what does not fit at all', async () => {
    const lanes = [[Float64Array.of(1e300)]];
    await expect(
      sumExactly(lanes, [1], Int32Array.of(24), 1, new Int32Array(0), alone),
    ).rejects.toThrow('below 2^100');
  });
});

describe('orthonormalise', () => {
  it('makes columns orthonormal, and those that depend on others zero', () => {
    const matrix = Float64Array.from({ length: 3 * 20 }, uniform);
    for (let row = 0; row < 20; row++) matrix[3 * row + 1] = 2 * matrix[3 * row]!;
    orthonormalise(matrix, 3);
    const dot = (a: number, b: number): number =>
      Array.from({ length: 20 }, (_, row) => matrix[3 * row + a]! * matrix[3 * row + b]!).reduce(
        (sum, value) => sum + value,
      );
    expect(dot(0, 0)).toBeCloseTo(1, 12);
    expect(dot(2, 2)).toBeCloseTo(1, 12);
    expect(dot(0, 2)).toBeCloseTo(0, 12);
    expect(dot(1, 1)).toBe(0);
  });
});
