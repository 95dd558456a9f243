import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareDataSet } from '@skipring/data/files';
import { barChart } from './lib/bar-chart.mjs';
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
    sync: { mode: 'localSgd', ...replicas, everySteps: 16, warmupSteps: 32 },
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

function specOf(name, changes, epochs, laneSize) {
  return {
    apiVersion: 'skipring/v1',
    name,
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: 'bench' },
    training: { epochs, learningRate: 0.05, warmupSteps: 32 },
    lanes: { count: NUM_RANKS, size: laneSize },
    workers: { min: 1, max: NUM_RANKS },
    evaluation: { everyEpochs: 0 },
    ...changes,
  };
}

/**
 * Trains the same job in each sync mode, two ranks of one thread each over a slow link, and finds
 * samples per second of training (evaluation apart) and the accuracy at the end.
 */
export async function sync({ data, laneSize = LANE_SIZE }) {
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
    for (const [name, mode] of Object.entries(MODES)) {
      const spec = specOf(`bench-${rows.length + 1}`, mode, epochs, laneSize);
      const results = await Promise.all(
        ranks.map((side, rank) => side.ask({ spec, ports, lanes: [rank] })),
      );
      const seconds = Math.max(...results.map(({ trainMs }) => trainMs)) / 1e3;
      rows.push({
        name,
        samplesPerSecond: (manifest.splits.train.samples * epochs) / seconds,
        computeShare: results[0].computeMs / results[0].trainMs,
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
    'sync mode',
    'samples/s',
    'against allReduce',
    'compute, share of time',
    'MB sent by a rank',
    'accuracy',
  ];
  const [base] = rows;
  const lines = rows.map((row) => [
    row.name,
    row.samplesPerSecond.toFixed(0),
    `${(row.samplesPerSecond / base.samplesPerSecond).toFixed(2)}x`,
    row.computeShare.toFixed(2),
    row.megabytes.toFixed(1),
    row.accuracy.toFixed(4),
  ]);
  const link = `${NUM_RANKS} ranks of one thread; 1 Gbit/s and 10 ms each way, by a proxy in user space`;
  return markdown(header, lines, [link]);
}

/** Writes samples per second as bars, an SVG file. */
export function plotSync({ rows }, file) {
  const bars = rows.map(({ name, samplesPerSecond, accuracy }) => ({
    label: name,
    value: samplesPerSecond,
    note: `${samplesPerSecond.toFixed(0)}/s, accuracy ${(100 * accuracy).toFixed(1)} %`,
  }));
  writeFileSync(file, barChart('Samples per second over 1 Gbit/s and 20 ms', bars));
}
