import type { Engine, TensorSlot } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, LANE_SIZE, randomBatch, smallEngine } from '../testing/small-engine.js';

const NUM_LANES = 4;

let exact: Engine;
let float: Engine;

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  exact = smallEngine();
  float = smallEngine({ reduction: 'float32' });
});

const slice = (vector: Int32Array | Float32Array, { offset, length }: TensorSlot) =>
  Array.from(vector.subarray(offset, offset + length));

/** The integer nearest to `x`, of two equally near ones the even. */
function roundToEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function flags(vector: Int32Array | Float32Array, offset: number): number[] {
  return Array.from(vector.subarray(offset, offset + exact.layout.slots.length));
}

describe('the exact lane vector', () => {
  it('is the float32 gradient, rounded to multiples of 2^-exponent, at every element', () => {
    const batch = randomBatch(1);
    const exponents = exponentsOf(exact, 0).map((_, slot) => 12 + (slot % 9));
    const fixed = exact.forwardBackward(batch, exponents, NUM_LANES, 0);
    const gradient = float.forwardBackward(batch, exponents, NUM_LANES, 0);
    expect(fixed).toBeInstanceOf(Int32Array);
    expect(exact.layout).toEqual(float.layout);
    exact.layout.slots.forEach((slot, index) => {
      const scaled = slice(gradient, slot).map((value) =>
        roundToEven(value * 2 ** exponents[index]!),
      );
      expect(slice(fixed, slot), slot.name).toEqual(scaled.map((value) => value + 0));
    });
    expect(flags(fixed, exact.layout.overflowOffset).every((flag) => flag === 0)).toBe(true);
  });

  it('holds the loss in fixed point, the hits and the samples', () => {
    const { metricsOffset, lossScaleBits } = exact.layout;
    const exponents = exponentsOf(exact, 20);
    const fixed = exact.forwardBackward(randomBatch(2), exponents, NUM_LANES, 0);
    const plain = float.forwardBackward(randomBatch(2), exponents, NUM_LANES, 0);
    expect(fixed[metricsOffset]).toBe(Math.round(plain[metricsOffset]! * 2 ** lossScaleBits));
    expect(fixed[metricsOffset + 1]).toBe(plain[metricsOffset + 1]);
    expect(fixed[metricsOffset + 2]).toBe(LANE_SIZE);
  });

  it('weights a short lane by its share of the samples', () => {
    const exponents = exponentsOf(exact, 12);
    const doubled = exponents.map((exponent) => exponent + 1);
    const short = exact.forwardBackward(randomBatch(3, LANE_SIZE / 2), doubled, NUM_LANES, 0);
    const gradient = float.forwardBackward(randomBatch(3, LANE_SIZE / 2), exponents, NUM_LANES, 0);
    for (const slot of exact.layout.slots) {
      // The float vector is weighted too: twice its value, times 2^12, is its value times 2^13.
      const expected = slice(gradient, slot).map((value) => roundToEven(value * 2 ** 13) + 0);
      expect(slice(short, slot), slot.name).toEqual(expected);
    }
    expect(short[exact.layout.metricsOffset + 2]).toBe(LANE_SIZE / 2);
  });

  it('adds up to the same bits in any order of the lanes', () => {
    const exponents = exponentsOf(exact, 24);
    const lanes = [0, 1, 2, 3].map((lane) =>
      exact.forwardBackward(randomBatch(10 + lane), exponents, NUM_LANES, lane),
    );
    const sum = (order: number[]) =>
      order.reduce(
        (total, lane) => total.map((value, index) => value + lanes[lane]![index]!),
        new Int32Array(exact.layout.length),
      );
    const inOrder = sum([0, 1, 2, 3]);
    expect(sum([3, 1, 0, 2])).toEqual(inOrder);
    expect(sum([2, 3, 1, 0])).toEqual(inOrder);
    expect(inOrder.some((value) => value !== 0)).toBe(true);
  });

  it('cuts a slot that does not fit off at the limit, and flags it and no other', () => {
    const slot = exact.layout.slots.findIndex(({ name }) => name === 'classifier/kernel');
    const exponents = exponentsOf(exact, 10);
    exponents[slot] = 60;
    const vector = exact.forwardBackward(randomBatch(4), exponents, NUM_LANES, 0);
    const overflow = flags(vector, exact.layout.overflowOffset);
    expect(overflow.map((flag, index) => (flag === 1 ? index : -1)).filter((i) => i >= 0)).toEqual([
      slot,
    ]);
    const magnitudes = slice(vector, exact.layout.slots[slot]!).map(Math.abs);
    // Four lanes at the limit still fit in an int32.
    expect(Math.max(...magnitudes) * NUM_LANES).toBeLessThan(2 ** 31);
    expect(Math.max(...magnitudes) * NUM_LANES).toBeGreaterThan(2 ** 31 * 0.999);
  });

  it('flags a NaN in the images at the statistics that it reaches first', () => {
    const batch = randomBatch(5);
    batch.images[7] = NaN;
    const vector = exact.forwardBackward(batch, exponentsOf(exact, 20), NUM_LANES, 0);
    const stem = exact.layout.slots.findIndex(({ name }) => name === 'stem/norm/movingMean');
    expect(vector[exact.layout.nonFiniteOffset + stem]).toBe(1);
  });

  it.each([0, 2 ** -140, 2 ** -149])('takes images of %d without a flag', (value) => {
    const batch = randomBatch(7);
    batch.images.fill(value);
    const { layout } = exact;
    const vector = exact.forwardBackward(batch, exponentsOf(exact, 24), NUM_LANES, 0);
    expect(Array.from(vector.subarray(layout.overflowOffset)).every((flag) => flag === 0)).toBe(
      true,
    );
    const again = exact.forwardBackward(batch, exponentsOf(exact, 24), NUM_LANES, 0);
    expect(again).toEqual(vector);
  });

  it.each([Infinity, -Infinity])('flags %d in the images', (value) => {
    const batch = randomBatch(7);
    batch.images[100] = value;
    for (const engine of [exact, float]) {
      const vector = engine.forwardBackward(batch, exponentsOf(engine, 24), NUM_LANES, 0);
      const { nonFiniteOffset } = engine.layout;
      expect(Array.from(vector.subarray(nonFiniteOffset)).some((flag) => flag === 1)).toBe(true);
    }
  });

  it('never passes over a parameter that is infinite', () => {
    const engine = smallEngine();
    const state = engine.readState();
    for (const { name, kind } of engine.layout.slots) {
      if (kind !== 'gradient') continue;
      const tensor = state.get(name)!;
      const values = tensor.values.slice();
      values[0] = Infinity;
      engine.writeState(new Map(state).set(name, { ...tensor, values }));
      const vector = engine.forwardBackward(randomBatch(5), exponentsOf(engine, 20), NUM_LANES, 0);
      const nonFinite = vector.subarray(engine.layout.nonFiniteOffset);
      expect(Math.max(...nonFinite), name).toBe(1);
    }
    engine.dispose();
  });

  it.each([1, 3, 7, 64, 1000])('never lets the sum of %i lanes at the limit wrap', (numLanes) => {
    const vector = exact.forwardBackward(randomBatch(6), exponentsOf(exact, 90), numLanes, 0);
    const largest = exact.layout.slots.flatMap((slot) => slice(vector, slot)).map(Math.abs);
    expect(largest.reduce((a, b) => Math.max(a, b)) * numLanes).toBeLessThan(2 ** 31);
  });
});
