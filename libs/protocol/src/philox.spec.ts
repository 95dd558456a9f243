import { describe, expect, it } from 'vitest';
import { philox4x32, PhiloxError, PhiloxStream } from './philox.js';

/** The known answers of Random123's `kat_vectors` for philox4x32 with 10 rounds. */
const knownAnswers = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

describe('philox4x32', () => {
  it.each(knownAnswers)('gives the known answer for key $key', ({ counter, key, answer }) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect([...out]).toEqual([...answer]);
  });

  it('agrees with 64-bit integer arithmetic', () => {
    const reference = (counter: bigint[], key: bigint[]) => {
      const mask = 0xffffffffn;
      let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key as [bigint, bigint];
      for (let round = 0; round < 10; round++) {
        const first = 0xd2511f53n * c0;
        const second = 0xcd9e8d57n * c2;
        [c0, c1, c2, c3] = [
          (second >> 32n) ^ c1 ^ k0,
          second & mask,
          (first >> 32n) ^ c3 ^ k1,
          first & mask,
        ];
        k0 = (k0 + 0x9e3779b9n) & mask;
        k1 = (k1 + 0xbb67ae85n) & mask;
      }
      return [c0, c1, c2, c3].map(Number);
    };
    const stream = new PhiloxStream(11);
    const out = new Uint32Array(4);
    for (let trial = 0; trial < 500; trial++) {
      const words = Array.from({ length: 6 }, () => stream.nextUint32());
      const counter = words.slice(0, 4) as [number, number, number, number];
      const key = words.slice(4) as [number, number];
      philox4x32(counter, key, out);
      expect([...out]).toEqual(reference(counter.map(BigInt), key.map(BigInt)));
    }
  });
});

describe('PhiloxStream', () => {
  it('reads the blocks of its counter in order', () => {
    const stream = new PhiloxStream(5, 6, 7, 8, 9);
    const out = new Uint32Array(4);
    for (let block = 0; block < 3; block++) {
      philox4x32([block, 7, 8, 9], [5, 6], out);
      for (const word of out) expect(stream.nextUint32()).toBe(word);
    }
  });

  it('is another stream for another seed or stream number', () => {
    const names: [number, ...number[]][] = [
      [0],
      [1],
      [0, 1],
      [0, 0, 1],
      [0, 0, 0, 1],
      [0, 0, 0, 0, 1],
    ];
    const firsts = names.map(([seed, ...stream]) => new PhiloxStream(seed, ...stream).nextUint32());
    expect(new Set(firsts).size).toBe(names.length);
  });

  it('gives floats on [0, 1) of 24 bits', () => {
    const stream = new PhiloxStream(1);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const value = stream.nextFloat();
      expect(value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24)).toBe(true);
      sum += value;
    }
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });

  it('draws below a bound without bias', () => {
    const stream = new PhiloxStream(2);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[stream.nextBelow(7)]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(22.5); // the 99.9 % point for 6 degrees of freedom
  });

  it('rejects the words that would bias a large bound', () => {
    // Of the 2^32 words, those mapped to k by word * bound >> 32 are 2 for every second k, else 1.
    const bound = 3 * 2 ** 30;
    const stream = new PhiloxStream(3);
    const perResidue = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) {
      const value = stream.nextBelow(bound);
      expect(value).toBeLessThan(bound);
      perResidue[value % 3]! += 1;
    }
    // Without the rejection, residue 0 would be drawn half of the time.
    for (const count of perResidue) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(new PhiloxStream(4).nextBelow(1)).toBe(0);
    expect(new PhiloxStream(4).nextBelow(2 ** 32)).toBe(new PhiloxStream(4).nextUint32());
  });

  it('draws normals with mean 0, variance 1 and kurtosis 3', () => {
    const stream = new PhiloxStream(6);
    const total = 50_000;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < total; i++) {
      const value = stream.nextNormal();
      for (let power = 0; power < 4; power++) moments[power]! += value ** (power + 1) / total;
    }
    expect(Math.abs(moments[0]!)).toBeLessThan(0.02);
    expect(Math.abs(moments[1]! - 1)).toBeLessThan(0.03);
    expect(Math.abs(moments[2]!)).toBeLessThan(0.06);
    expect(Math.abs(moments[3]! - 3)).toBeLessThan(0.2);
  });

  it.each([
    ['seed: -1', () => new PhiloxStream(-1)],
    ['seed: 4294967296', () => new PhiloxStream(2 ** 32)],
    ['stream[1]: 0.5', () => new PhiloxStream(0, 0, 0.5)],
    ['stream: 5 numbers', () => new PhiloxStream(0, 1, 2, 3, 4, 5)],
    ['bound: 0', () => new PhiloxStream(0).nextBelow(0)],
    ['bound: NaN', () => new PhiloxStream(0).nextBelow(Number.NaN)],
  ])('refuses %s', (message, act) => {
    expect(act).toThrow(PhiloxError);
    expect(act).toThrow(message);
  });
});
