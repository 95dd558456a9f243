import type { DataSetRegistration, SplitName } from '@skipring/protocol';
import { GLYPHS } from '../../glyphs/strokes.js';
import { glyphSample } from '../../glyphs/glyph-sample.js';
import { GLYPH_SIZE } from '../../glyphs/render.js';
import { samplesPerChunk, type DataSource, type SampleChunk, type SourceSplit } from '../source.js';

type GlyphsRegistration = Extract<DataSetRegistration, { format: 'glyphs' }>;

const SAMPLE_BYTES = GLYPH_SIZE * GLYPH_SIZE;

/** The generated data set: the same bytes for the same seed and counts, on any machine. */
export function openGlyphs(registration: GlyphsRegistration): DataSource {
  const { seed, trainSamples, testSamples } = registration;
  return {
    height: GLYPH_SIZE,
    width: GLYPH_SIZE,
    channels: 1,
    classes: GLYPHS.map(({ name }) => name),
    splits: {
      train: split(seed, 'train', trainSamples),
      test: split(seed, 'test', testSamples),
    },
  };
}

function split(seed: number, name: SplitName, samples: number): SourceSplit {
  return { samples, read: (signal) => generate(seed, name, samples, signal) };
}

async function* generate(
  seed: number,
  name: SplitName,
  numSamples: number,
  signal?: AbortSignal,
): AsyncGenerator<SampleChunk> {
  const chunkSamples = Math.min(256, samplesPerChunk(SAMPLE_BYTES));
  for (let first = 0; first < numSamples; first += chunkSamples) {
    // Generating blocks the thread; let its other work in between chunks.
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    const samples = Math.min(chunkSamples, numSamples - first);
    const labels = new Uint16Array(samples);
    const pixels = new Uint8Array(samples * SAMPLE_BYTES);
    for (let index = 0; index < samples; index++) {
      const target = pixels.subarray(index * SAMPLE_BYTES, (index + 1) * SAMPLE_BYTES);
      labels[index] = glyphSample(seed, name, first + index, target);
    }
    yield { samples, labels, pixels };
  }
}
