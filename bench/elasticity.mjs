import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from '@skipring/cli';
import { SkipringClient } from '@skipring/client';
import { prepareDataSet } from './lib/prepare-data-set.mjs';
import { summary } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const NUM_WORKERS = 2;
const DATA_SET = { name: 'glyphs', format: 'glyphs', trainSamples: 8_192, testSamples: 10 };
const SPEC = {
  apiVersion: 'skipring/v1',
  name: 'elasticity',
  model: { family: 'resnet-cifar', depth: 20 },
  data: { dataSet: DATA_SET.name },
  training: { epochs: 1_000 },
  lanes: { count: 4, size: 32 },
  workers: { max: NUM_WORKERS },
  checkpoints: { everySteps: 1_000_000 },
};
/** Between the last change of the members and the next one. */
const NUM_STEPS = 20;
/** What is done to a worker, which then is started again; in turn. */
const SIGNALS = ['SIGTERM', 'SIGKILL'];

/** How long a change of the members keeps a job from its steps: a worker leaves, dies, joins. */
export async function elasticity({ runs }) {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-elasticity-'));
  const cluster = await LocalCluster.start({
    dataDirectory,
    port: 0,
    numWorkers: NUM_WORKERS,
    threads: 1,
    dataRoots: [],
    inherited: process.env,
    interrupted: new AbortController().signal,
    onStatus: () => undefined,
    isSupervised: true,
  });
  try {
    const client = new SkipringClient(cluster.endpoint);
    await prepareDataSet(client, DATA_SET);
    const { id } = await client.submit(SPEC);
    const changes = await disturb(client, cluster, id, SIGNALS.length * runs);
    const steps = new Map();
    for await (const step of client.stepMetrics(id)) steps.set(step.step, step);
    return {
      stepMs: summary([...steps.values()].map(({ stepMs }) => stepMs)),
      ...holds(changes, steps),
    };
  } finally {
    await cluster.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

/** Signals a worker so many times, each while all train, and tells of the generations that came of it. */
async function disturb(client, cluster, id, numSignals) {
  const changes = [];
  let sent = null;
  let numSent = 0;
  let generation = null;
  for await (const event of client.follow(id)) {
    if (event.type === 'generation') {
      const { step, workers } = event;
      const numBefore = generation?.numWorkers ?? workers.length;
      generation = { step, numWorkers: workers.length };
      if (workers.length > numBefore) changes.push({ kind: 'joins', step });
      if (workers.length < numBefore) changes.push({ ...sent, step });
    }
    if (event.type !== 'step' || generation.numWorkers < NUM_WORKERS) continue;
    if (event.metrics.step < generation.step + NUM_STEPS) continue;
    if (numSent === numSignals) {
      await client.cancel(id);
      generation = { step: Infinity, numWorkers: NUM_WORKERS };
    } else if (sent?.atStep !== generation.step) {
      const signal = SIGNALS[numSent % SIGNALS.length];
      sent = { kind: signal, atStep: generation.step, atMs: Date.now() };
      numSent += 1;
      process.kill(cluster.workerPids.at(-1), signal);
    }
  }
  return changes;
}

/** Milliseconds in which no step was taken, besides those that the next step took itself. */
function holds(changes, steps) {
  const of = (kind, from) =>
    summary(
      changes
        .filter((change) => change.kind === kind)
        .map((change) => {
          const next = steps.get(change.step + 1);
          return next.timeMs - next.stepMs - from(change);
        }),
    );
  const lastStep = ({ step }) => steps.get(step).timeMs;
  return {
    joins: of('joins', lastStep),
    leaves: of('SIGTERM', lastStep),
    dies: of('SIGKILL', ({ atMs }) => atMs),
  };
}

export function elasticityTable({ stepMs, joins, leaves, dies }) {
  const show = ({ median, p10, p90 }) =>
    `${median.toFixed(0)} (${p10.toFixed(0)}-${p90.toFixed(0)})`;
  const row = (name, times) => [name, show(times), (times.median / stepMs.median).toFixed(2)];
  return markdown(
    ['ResNet-20, 4 lanes of 32, 2 workers', 'no step taken for, ms', 'steps'],
    [
      row('a worker joins', joins),
      row('a worker leaves (SIGTERM)', leaves),
      row('a worker is killed (SIGKILL), since the signal', dies),
    ],
    [`a step takes ${show(stepMs)} ms`],
  );
}
