// Whether bfloat16 and float32 reduction train as exact float32 does: loss curves and accuracy of
// three seeds each, by the trainer's own loop on one rank.
// node bench/curves.mjs [--steps 500] [--depth 8] [--seeds 3] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { glyphSample, GLYPH_SIZE, GLYPHS } from '@skipring/data';
import { compileEngine, loadTensorFlow } from '@skipring/graph';
import { buildModel, learningRateAt, registerFusedKernels } from '@skipring/nn';
import { jobSpecSchema } from '@skipring/protocol';
import { trainGeneration, TrainingState } from '@skipring/trainer';
import { markdown } from './lib/table.mjs';

const { values: flags } = parseArgs({
  options: {
    steps: { type: 'string', default: '500' },
    depth: { type: 'string', default: '8' },
    seeds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const numSteps = Number(flags.steps);
const lanes = { count: 2, size: 16 };
const NUM_TRAIN = 6_400;
const NUM_TEST = 2_048;
const EVALUATION_BATCH = 128;
const shape = { height: GLYPH_SIZE, width: GLYPH_SIZE, channels: 1 };
const PIXELS = GLYPH_SIZE * GLYPH_SIZE;
const numClasses = GLYPHS.length;

const VARIANTS = {
  'float32, exact': {},
  'bfloat16, exact': { precision: 'bfloat16' },
  'float32, float32 reduction': { reduction: 'float32' },
};

/** Samples first to first + count - 1 of a split as one batch. */
function batchOf(split, first, count) {
  const images = new Float32Array(count * PIXELS);
  const labels = new Int32Array(count);
  const pixels = new Uint8Array(PIXELS);
  for (let index = 0; index < count; index++) {
    labels[index] = glyphSample(1, split, first + index, pixels);
    for (let at = 0; at < PIXELS; at++) images[index * PIXELS + at] = (pixels[at] - 128) / 64;
  }
  return { images, labels, samples: count };
}

const train = batchOf('train', 0, NUM_TRAIN);
const tests = Array.from({ length: NUM_TEST / EVALUATION_BATCH }, (_, index) =>
  batchOf('test', index * EVALUATION_BATCH, EVALUATION_BATCH),
);

/** The batches of one rank that owns both lanes, in an order that seed and epoch decide. */
function batchSource(seed) {
  const next = new Map();
  return {
    numEvaluationBatches: tests.length,
    evaluationBatchSize: EVALUATION_BATCH,
    evaluation: (index) => tests[index],
    seek({ epoch, stepInEpoch }, owned) {
      for (const lane of owned) next.set(lane, { epoch, step: stepInEpoch });
    },
    next(lane) {
      const { epoch, step } = next.get(lane);
      const stepsPerEpoch = NUM_TRAIN / (lanes.count * lanes.size);
      next.set(
        lane,
        step + 1 < stepsPerEpoch ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 },
      );
      const offset = (seed * 997 + epoch * 331) % NUM_TRAIN;
      const images = new Float32Array(lanes.size * PIXELS);
      const labels = new Int32Array(lanes.size);
      for (let index = 0; index < lanes.size; index++) {
        const place = (step * lanes.count + lane) * lanes.size + index;
        const sample = (place * (641 + 2 * epoch) + offset) % NUM_TRAIN;
        images.set(train.images.subarray(sample * PIXELS, (sample + 1) * PIXELS), index * PIXELS);
        labels[index] = train.labels[sample];
      }
      return Promise.resolve({ images, labels, samples: lanes.size });
    },
  };
}

async function run(variant, seed) {
  const spec = jobSpecSchema.parse({
    apiVersion: 'skipring/v1',
    name: 'curves',
    model: { family: 'resnet-cifar', depth: Number(flags.depth) },
    data: { dataSet: 'glyphs' },
    training: { steps: numSteps, learningRate: 0.05, warmupSteps: 20 },
    evaluation: { everyEpochs: 0 },
    checkpoints: { everySteps: numSteps },
    lanes,
    seed,
    ...VARIANTS[variant],
  });
  const engine = compileEngine({
    model: buildModel(spec.model, shape, numClasses, seed),
    spec: { ...spec.training, reduction: spec.reduction, precision: spec.precision },
    trainBatchSizes: [lanes.size],
    evaluationBatchSizes: [EVALUATION_BATCH],
    laneSize: lanes.size,
    numClasses,
    inputShape: shape,
  });
  const losses = [];
  let accuracy = NaN;
  const outcome = await trainGeneration({
    state: new TrainingState(engine),
    spec,
    numSamples: NUM_TRAIN,
    numClasses,
    collective: {
      rank: 0,
      worldSize: 1,
      bytesSent: 0,
      allReduce: () => Promise.resolve(),
      broadcast: () => Promise.resolve(),
    },
    batches: batchSource(seed),
    checkpoints: { submit() {}, save: () => Promise.resolve({ modelSha256: '00'.repeat(32) }) },
    report: {
      step: ({ metrics }) => losses.push(metrics.loss),
      stateHash() {},
      evaluation: (result) => (accuracy = result.accuracy),
      layers() {},
    },
    lanes: [0, 1],
    schedule: learningRateAt(spec.training, numSteps),
    deadlineMs: 1_000,
    signal: new AbortController().signal,
  });
  engine.dispose();
  if (outcome.kind !== 'finished') throw outcome.error ?? new Error(outcome.kind);
  return { losses, accuracy };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spreadOf = (values) => Math.max(...values) - Math.min(...values);

await loadTensorFlow({ threads: 1, device: 'cpu' });
registerFusedKernels();
const seeds = Array.from({ length: Number(flags.seeds) }, (_, index) => index + 1);
const results = {};
for (const seed of seeds) {
  for (const variant of Object.keys(VARIANTS)) {
    const result = await run(variant, seed);
    (results[variant] ??= []).push(result);
    const last = mean(result.losses.slice(-50)).toFixed(4);
    console.error(`${variant}, seed ${seed}: loss ${last}, accuracy ${result.accuracy.toFixed(4)}`);
  }
}

/** Mean loss of a part of the steps, by seed. */
const part = (runs, from, to) =>
  runs.map(({ losses }) => mean(losses.slice(from * numSteps, to * numSteps)));
const cell = (values, digits) =>
  `${mean(values).toFixed(digits)} (${spreadOf(values).toFixed(digits)})`;
const lines = Object.entries(results).map(([variant, runs]) => [
  variant,
  cell(part(runs, 0, 0.2), 3),
  cell(part(runs, 0.4, 0.6), 3),
  cell(part(runs, 0.8, 1), 3),
  cell(
    runs.map(({ accuracy }) => 100 * accuracy),
    2,
  ),
]);
const parts = ['0-20 %', '40-60 %', '80-100 %'].map((text) => `loss, ${text} of the steps`);
const notes = [`mean over ${seeds.length} seeds (largest less smallest)`];
console.log(markdown(['training', ...parts, 'accuracy, %'], lines, notes));
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(results)}\n`);
