import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareDataSet } from '@skipring/data/files';
import { barChart } from './lib/bar-chart.mjs';
import { perceptron } from './lib/perceptron.mjs';
import { shapedLink } from './lib/shaped-link.mjs';
import { Side } from './lib/side.mjs';
import { markdown } from './lib/table.mjs';

const NUM_RANKS = 2;
const LANE_SIZE = 32;
/** 1 Gbit/s, and 20 ms there and back. */
const SHAPE = { bytesPerSecond: 125e6, delayMs: 10 };
const NUM_TRAIN = 8_192;
const NUM_TEST = 2_000;
/** Of the generated set; of Fashion-MNIST, which is seven times as large, one. */
const EPOCHS = 3;

const replicas = { replicas: NUM_RANKS };
/** What differs in the job spec. */
const MODES = {
  'allReduce, exact': {},
  'allReduce, float32': { reduction: 'float32' },
  'allReduce, bfloat16': { reduction: 'bfloat16' },
  'allReduce, PowerSGD of rank 4': {
    sync: { mode: 'allReduce', compression: { kind: 'powerSgd', matrixRank: 4, warmupSteps: 32 } },
  },
  'allReduce, top-k of 1 %': {
    sync: { mode: 'allReduce', compression: { kind: 'topK', fraction: 0.01, warmupSteps: 32 } },
  },
  'localSgd, H = 16': {
    sync: { mode: 'localSgd', ...replicas, everySteps: 16 },
  },
  'localSgd, H = 16, momentum reset': {
    sync: { mode: 'localSgd', ...replicas, everySteps: 16, optimizerState: 'reset' },
  },
  'diloco, H = 64': {
    sync: {
      mode: 'diloco',
      ...replicas,
      everySteps: 64,
      warmupSteps: 64,
      optimizerState: 'average',
    },
  },
};

/** Both have about 100,000 parameters; the second has much less to compute for each. */
const MODELS = {
  resnet: { make: () => ({ family: 'resnet-cifar', depth: 8 }), learningRate: 0.05 },
  perceptron: {
    make: (numClasses) => ({ family: 'layers', topology: perceptron(128, numClasses) }),
    // With 0.05 the outer momentum of diloco makes it diverge: it has no normalisation.
    learningRate: 0.02,
  },
};

function specOf(name, { model, learningRate }, changes, epochs, laneSize) {
  return {
    apiVersion: 'skipring/v1',
    name,
    model,
    data: { dataSet: 'bench' },
    training: { epochs, learningRate, warmupSteps: 32 },
    lanes: { count: NUM_RANKS, size: laneSize },
    workers: { min: 1, max: NUM_RANKS },
    evaluation: { everyEpochs: 0 },
    ...changes,
  };
}

/**
 * Trains the same job in each sync mode, two ranks of one thread each over a slow link, and finds
 * samples per second of training (evaluation apart) and the accuracy at the end.
 *
 * @param models names of networks; all where absent
 */
export async function sync({ data, laneSize = LANE_SIZE, models = Object.keys(MODELS) }) {
  const directory = mkdtempSync(join(tmpdir(), 'skipring-bench-'));
  const dataSet = join(directory, 'data');
  const manifest = await prepareDataSet(registrationOf(data), dataSet);
  const module = fileURLToPath(new URL('sides/train-rank.mjs', import.meta.url));
  const ranks = await Promise.all(
    Array.from({ length: NUM_RANKS }, (_, rank) => Side.start(module, rank, dataSet)),
  );
  const links = await Promise.all(ranks.map((side) => shapedLink(side.about.port, SHAPE)));
  const ports = links.map(({ port }) => port);
  const rows = [];
  const epochs = data === undefined ? EPOCHS : 1;
  try {
    const cases = models.flatMap((model) =>
      Object.entries(MODES).map(([name, mode]) => [model, name, mode]),
    );
    for (const [model, name, mode] of cases) {
      const { make, learningRate } = MODELS[model];
      const network = { model: make(manifest.classes.length), learningRate };
      const spec = specOf(`bench-${rows.length + 1}`, network, mode, epochs, laneSize);
      const results = await Promise.all(
        ranks.map((side, rank) => side.ask({ spec, ports, lanes: [rank] })),
      );
      const numSteps = epochs * Math.ceil(manifest.splits.train.samples / (NUM_RANKS * laneSize));
      const seconds = Math.max(...results.map(({ trainMs }) => trainMs)) / 1e3;
      console.error(`${model}, ${name}: ${seconds.toFixed(1)} s`);
      rows.push({
        model,
        name,
        samplesPerSecond: (manifest.splits.train.samples * epochs) / seconds,
        stepMs: (1e3 * seconds) / numSteps,
        cpuMs: Math.max(...results.map(({ cpuMs }) => cpuMs)) / numSteps,
        megabytes: results[0].ringBytes / 1e6,
        accuracy: results[0].accuracy,
      });
    }
  } finally {
    await Promise.all(ranks.map((side) => side.stop()));
    await Promise.all(links.map((link) => link.close()));
    rmSync(directory, { recursive: true, force: true });
  }
  return { title: 'sync modes', rows };
}

/** Fashion-MNIST in its files, or the generated set. */
function registrationOf(path) {
  return path === undefined
    ? {
        name: 'bench',
        format: 'glyphs',
        seed: 1,
        trainSamples: NUM_TRAIN,
        testSamples: NUM_TEST,
      }
    : { name: 'bench', format: 'idx', path };
}

export function syncTable({ rows }) {
  const header = [
    'network',
    'sync mode',
    'samples/s',
    'against allReduce',
    'step, ms',
    'processor, ms a step',
    'MB sent by a rank',
    'accuracy',
  ];
  const lines = rows.map((row) => [
    row.model,
    row.name,
    row.samplesPerSecond.toFixed(0),
    `${(row.samplesPerSecond / baseOf(rows, row).samplesPerSecond).toFixed(2)}x`,
    row.stepMs.toFixed(1),
    row.cpuMs.toFixed(1),
    row.megabytes.toFixed(1),
    row.accuracy.toFixed(4),
  ]);
  const link = `${NUM_RANKS} ranks of one thread; 1 Gbit/s and 10 ms each way, by a proxy in user space`;
  return markdown(header, lines, [link]);
}

/** The first mode of the same network. */
function baseOf(rows, { model }) {
  return rows.find((row) => row.model === model);
}

/** Writes what each mode sends, which no other process on the machine changes, as bars, an SVG file. */
export function plotSync({ rows }, file) {
  const bars = rows.map(({ model, name, megabytes, accuracy }) => ({
    label: `${model}: ${name}`,
    value: megabytes,
    note: `${megabytes.toFixed(1)} MB, accuracy ${(100 * accuracy).toFixed(1)} %`,
  }));
  writeFileSync(file, barChart('MB that a rank sends in training, and accuracy', bars));
}
