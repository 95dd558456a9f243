import { describe, expect, it } from 'vitest';
import { sampleTransform } from './augmentation.js';
import { decodeInto } from './decode.js';
import { evaluationBatch } from './evaluation.js';
import { BatchMaker, makeLaneBatch } from './lane-batch.js';
import { normalisationTable } from './normalisation.js';
import { SampleSource } from './sample-source.js';

const shape = { height: 3, width: 4, channels: 3 };
const statistics = { ...shape, mean: [0.5, 0.25, 0], standardDeviation: [0.5, 0.25, 1] };

/** Pixel values and labels that tell every place apart. */
function makeSource(samples: number): SampleSource {
  const source = SampleSource.allocate(shape, samples);
  for (let id = 0; id < samples; id++) {
    const start = source.pixelOffset(id);
    source.bytes[start - 2] = id & 0xff;
    source.bytes[start - 1] = id >> 8;
    for (let i = 0; i < 36; i++) source.bytes[start + i] = (id * 37 + i * 5) % 256;
  }
  return source;
}

/** The plainest statement of crop, flip and normalisation. */
function reference(source: SampleSource, id: number, top: number, left: number, flip: boolean) {
  const { pixels } = source.record(id);
  const out: number[] = [];
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 4; x++) {
      for (let c = 0; c < 3; c++) {
        const row = y + top;
        const column = (flip ? 3 - x : x) + left;
        const inside = row >= 0 && row < 3 && column >= 0 && column < 4;
        const byte = inside ? pixels[(row * 4 + column) * 3 + c]! : 0;
        out.push(
          Math.fround((byte / 255 - statistics.mean[c]!) / statistics.standardDeviation[c]!),
        );
      }
    }
  }
  return out;
}

describe('lane batches', () => {
  it('decode every crop and flip as the plain definition does', () => {
    const source = makeSource(2);
    const table = normalisationTable(statistics);
    for (const flip of [false, true]) {
      for (let top = -3; top <= 3; top++) {
        for (let left = -4; left <= 4; left++) {
          const target = new Float32Array(36);
          const transform = { top, left, flip };
          decodeInto(source.bytes, source.pixelOffset(1), shape, table, transform, target, 0);
          expect([...target]).toEqual(reference(source, 1, top, left, flip));
        }
      }
    }
  });

  it('hold each sample augmented by its own id, wherever it stands', () => {
    const source = makeSource(300);
    const context = { seed: 5, epoch: 2, augmentation: { cropPadding: 2, flip: true } };
    const ids = Uint32Array.of(299, 0, 17);
    const batch = makeLaneBatch(source, statistics, ids, context);
    expect(batch.samples).toBe(3);
    expect([...batch.labels]).toEqual([299, 0, 17]);
    ids.forEach((id, index) => {
      const { top, left, flip } = sampleTransform(5, 2, id, context.augmentation);
      expect([...batch.images.subarray(index * 36, (index + 1) * 36)]).toEqual(
        reference(source, id, top, left, flip),
      );
    });
  });

  it('are empty for no ids', () => {
    const batch = new BatchMaker(makeSource(1), statistics).plainBatch(new Uint32Array());
    expect(batch).toEqual({
      images: new Float32Array(),
      labels: new Int32Array(),
      samples: 0,
    });
  });

  it('cover the evaluation split in order, the last one short', () => {
    const source = makeSource(10);
    const labels = [0, 1, 2].flatMap((i) => [...evaluationBatch(source, statistics, i, 4).labels]);
    expect(labels).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const last = evaluationBatch(source, statistics, 2, 4);
    expect(last.samples).toBe(2);
    expect([...last.images.subarray(0, 36)]).toEqual(reference(source, 8, 0, 0, false));
    expect(() => evaluationBatch(source, statistics, 3, 4)).toThrow(/index is 3/);
  });

  it('refuse ids and statistics that do not fit the source', () => {
    const source = makeSource(3);
    const maker = new BatchMaker(source, statistics);
    expect(() => maker.plainBatch(Uint32Array.of(3))).toThrow(
      /sample id is 3; expected .*\[0, 3\)/,
    );
    expect(() => new BatchMaker(source, { ...statistics, width: 5 })).toThrow(
      /3x4x3; expected 3x5x3/,
    );
    expect(() => new BatchMaker(source, { ...statistics, mean: [1] })).toThrow(/mean has 1 values/);
    const short = { shape, samples: 4, buffer: source.shared.buffer };
    expect(() => new SampleSource(short)).toThrow(/buffer holds 114 bytes; expected 152/);
  });
});
