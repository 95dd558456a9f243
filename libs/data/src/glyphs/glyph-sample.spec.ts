import { createHash } from 'node:crypto';
import type { SplitName } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import {
  linearAccuracy,
  trainLinearClassifier,
  type LabelledImages,
} from '../testing/linear-classifier.js';
import { glyphSample } from './glyph-sample.js';
import { GLYPH_SIZE } from './render.js';
import { GLYPHS } from './strokes.js';

const PIXELS = GLYPH_SIZE * GLYPH_SIZE;

function generate(split: SplitName, samples: number, seed = 1) {
  const pixels = new Uint8Array(samples * PIXELS);
  const labels = Uint16Array.from({ length: samples }, (_, index) =>
    glyphSample(seed, split, index, pixels.subarray(index * PIXELS, (index + 1) * PIXELS)),
  );
  return { pixels, labels };
}

function features(split: SplitName, samples: number): LabelledImages {
  const { pixels, labels } = generate(split, samples);
  return { features: Float32Array.from(pixels, (b) => b / 255 - 0.5), labels, numFeatures: PIXELS };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('glyphSample', () => {
  it('has at least ten classes, in turn', () => {
    expect(GLYPHS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(GLYPHS.map(({ name }) => name)).size).toBe(GLYPHS.length);
    const { labels } = generate('test', 2 * GLYPHS.length);
    expect([...labels]).toEqual([...GLYPHS.keys(), ...GLYPHS.keys()]);
  });

  it.each([
    ['train', 'c669a31278766e9e2c273721e8d67f86a431d53d384a23a693a7fbe865569cf5'],
    ['test', '19fdf5dddcf295768435c36d7893cc28f6b340bf1ef98c0415777acac43291dd'],
  ] as const)('keeps the published bytes of its first 1000 %s samples', (split, expected) => {
    expect(sha256(generate(split, 1000).pixels)).toBe(expected);
  });

  it('draws each sample of each seed and split differently', () => {
    const images = [generate('train', 40), generate('test', 40), generate('train', 40, 2)];
    const seen = new Set<string>();
    for (const { pixels } of images) {
      for (let index = 0; index < 40; index++) {
        seen.add(sha256(pixels.subarray(index * PIXELS, (index + 1) * PIXELS)));
      }
    }
    expect(seen.size).toBe(120);
  });

  it('shows dark and light glyphs', () => {
    const { pixels } = generate('train', 200);
    const means = Array.from({ length: 200 }, (_, index) => {
      const image = pixels.subarray(index * PIXELS, (index + 1) * PIXELS);
      return image.reduce((sum, byte) => sum + byte, 0) / PIXELS;
    });
    expect(means.filter((mean) => mean < 100).length).toBeGreaterThan(40);
    expect(means.filter((mean) => mean > 155).length).toBeGreaterThan(40);
  });

  it('keeps a linear classifier below 60 %', () => {
    const train = features('train', 4000);
    const weights = trainLinearClassifier(train, GLYPHS.length, 4, 0.02);
    // It does learn: better than guessing (8 %) on what it has seen.
    expect(linearAccuracy(weights, train, GLYPHS.length)).toBeGreaterThan(0.2);
    expect(linearAccuracy(weights, features('test', 1000), GLYPHS.length)).toBeLessThan(0.6);
  });
});
