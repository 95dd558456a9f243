import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareDataSet } from '@skipring/data/files';
import { barChart } from './lib/bar-chart.mjs';
import { perceptron } from './lib/perceptron.mjs';
import { shapedLink } from './lib/shaped-link.mjs';
import { Side } from './lib/side.mjs';
import { summary } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const NUM_RANKS = 2;
const LANE_SIZE = 32;
/** 1 Gbit/s. */
const BYTES_PER_SECOND = 125e6;
/** As `tc netem delay 20ms` makes it on both ends of a link. */
const DELAY_MS = 20;
const NUM_TRAIN = 8_192;
const NUM_TEST = 2_000;
/** Trained for the accuracy. */
const EPOCHS = 3;
/** Before those whose speed is measured: a whole number of periods, and no less than any mode's own warm-up. */
const WARMUP_STEPS = 64;
const TIMED_STEPS = 128;

const replicas = { replicas: NUM_RANKS };
/** What differs in the job spec. */
const MODES = {
  'allReduce, exact': {},
  'allReduce, float32': { reduction: 'float32' },
  'allReduce, bfloat16': { reduction: 'bfloat16' },
  'allReduce, PowerSGD of rank 4': {
    sync: {
      mode: 'allReduce',
      compression: { kind: 'powerSgd', matrixRank: 4, warmupSteps: WARMUP_STEPS },
    },
  },
  'allReduce, top-k of 1 %': {
    sync: {
      mode: 'allReduce',
      compression: { kind: 'topK', fraction: 0.01, warmupSteps: WARMUP_STEPS },
    },
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
      warmupSteps: WARMUP_STEPS,
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

function specOf(name, { model, learningRate }, changes, length, laneSize) {
  return {
    apiVersion: 'skipring/v1',
    name,
    model,
    data: { dataSet: 'bench' },
    training: { ...length, learningRate, warmupSteps: 32 },
    lanes: { count: NUM_RANKS, size: laneSize },
    workers: { min: 1, max: NUM_RANKS },
    evaluation: { everyEpochs: 0 },
    ...changes,
  };
}

/**
 * Two ranks of one thread each over a slow link. The speed of each sync mode is that of short jobs, the
 * modes in turn; its accuracy that of one longer job without the link, which decides no bit of it.
 *
 * @param models names of networks; all where absent
 * @param only `speed` or `accuracy`; both where absent
 * @param steps whose speed is measured, of one job
 * @param delayMs of the link, each way
 * @param exchangeLimitBytes of the ring, as `skipring tune-ring` finds it; the default's where absent
 */
export async function sync({
  data,
  laneSize = LANE_SIZE,
  models = Object.keys(MODELS),
  runs,
  only,
  steps = TIMED_STEPS,
  epochs = EPOCHS,
  delayMs = DELAY_MS,
  exchangeLimitBytes,
}) {
  const directory = mkdtempSync(join(tmpdir(), 'skipring-bench-'));
  const dataSet = join(directory, 'data');
  const manifest = await prepareDataSet(registrationOf(data), dataSet);
  const module = fileURLToPath(new URL('sides/train-rank.mjs', import.meta.url));
  const ranks = await Promise.all(
    Array.from({ length: NUM_RANKS }, (_, rank) => Side.start(module, rank, dataSet)),
  );
  const shape = { bytesPerSecond: BYTES_PER_SECOND, delayMs };
  const links = await Promise.all(ranks.map((side) => shapedLink(side.about.port, shape)));
  const slow = links.map(({ port }) => port);
  const direct = ranks.map((side) => side.about.port);
  const cases = models.flatMap((model) =>
    Object.entries(MODES).map(([name, mode]) => ({ model, name, mode, measured: [] })),
  );
  let numJobs = 0;
  const runJob = async ({ model, mode }, length, ports, skippedSteps) => {
    const { make, learningRate } = MODELS[model];
    const network = { model: make(manifest.classes.length), learningRate };
    const spec = specOf(`bench-${(numJobs += 1)}`, network, mode, length, laneSize);
    return Promise.all(
      ranks.map((side, rank) =>
        side.ask({ spec, ports, lanes: [rank], skippedSteps, exchangeLimitBytes }),
      ),
    );
  };
  try {
    for (let run = 0; only !== 'accuracy' && run < runs; run++) {
      for (const each of cases) {
        const results = await runJob(each, { steps: WARMUP_STEPS + steps }, slow, WARMUP_STEPS);
        const ms = Math.max(...results.map(({ trainMs }) => trainMs)) / steps;
        const cpuMs = Math.max(...results.map((result) => result.cpuMs)) / steps;
        each.measured.push({ ms, cpuMs, kilobytes: results[0].ringBytes / steps / 1e3 });
        console.error(`${each.model}, ${each.name}: ${ms.toFixed(1)} ms a step`);
      }
    }
    for (const each of only === 'speed' ? [] : cases) {
      [{ accuracy: each.accuracy }] = await runJob(each, { epochs }, direct, 0);
      console.error(`${each.model}, ${each.name}: accuracy ${each.accuracy.toFixed(4)}`);
    }
  } finally {
    await Promise.all(ranks.map((side) => side.stop()));
    await Promise.all(links.map((link) => link.close()));
    rmSync(directory, { recursive: true, force: true });
  }
  const rows = cases.map(({ model, name, measured, accuracy }) => ({
    model,
    name,
    accuracy,
    ...(measured.length === 0
      ? {}
      : {
          samplesPerSecond: summary(measured.map(({ ms }) => (1e3 * NUM_RANKS * laneSize) / ms)),
          stepMs: summary(measured.map(({ ms }) => ms)).median,
          cpuMs: summary(measured.map(({ cpuMs }) => cpuMs)).median,
          kilobytes: measured[0].kilobytes,
        }),
  }));
  return { title: 'sync modes', delayMs, epochs, rows };
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

export function syncTable({ rows, delayMs, epochs }) {
  const header = [
    'network',
    'sync mode',
    'samples/s',
    'against allReduce',
    'step, ms',
    'processor, ms a step',
    'kB a step sent by a rank',
    'accuracy',
  ];
  const lines = rows.map((row) => {
    const { samplesPerSecond: speed } = row;
    return [
      row.model,
      row.name,
      speed && `${speed.median.toFixed(0)} (${speed.p10.toFixed(0)}-${speed.p90.toFixed(0)})`,
      speed && `${ratioOf(rows, row).toFixed(2)}x`,
      row.stepMs?.toFixed(1),
      row.cpuMs?.toFixed(1),
      row.kilobytes?.toFixed(0),
      row.accuracy?.toFixed(4),
    ].map((cell) => cell ?? '-');
  });
  const link = `${NUM_RANKS} ranks of one thread; 1 Gbit/s and ${delayMs} ms each way, by a proxy in user space`;
  return markdown(header, lines, [link, `accuracy after ${epochs} epochs`]);
}

/** Samples per second against the first mode of the same network. */
function ratioOf(rows, { model, samplesPerSecond }) {
  const base = rows.find((row) => row.model === model);
  return samplesPerSecond.median / base.samplesPerSecond.median;
}

/** Writes what was measured of each mode as bars, an SVG file. */
export function plotSync({ rows, delayMs }, file) {
  const bars = rows.map((row) => {
    const { median } = row.samplesPerSecond;
    const accuracy =
      row.accuracy === undefined ? '' : `, ${(100 * row.accuracy).toFixed(1)} % right`;
    return {
      label: `${row.model}: ${row.name}`,
      value: median,
      note: `${median.toFixed(0)} (${ratioOf(rows, row).toFixed(1)}x), ${row.kilobytes.toFixed(0)} kB a step${accuracy}`,
    };
  });
  const title = `samples/s of two ranks over 1 Gbit/s and ${delayMs} ms each way, bytes that a rank sends, accuracy`;
  writeFileSync(file, barChart(title, bars));
}
