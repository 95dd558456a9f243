// One rank that trains with the ring on a thread of its own, as a worker does. Arguments: rank, the
// core it is bound to, samples of a lane, height and width of an image.
import { compileEngine, loadTensorFlow } from '@skipring/graph';
import { buildModel, registerFusedKernels } from '@skipring/nn';
import { learningRateAt } from '@skipring/nn/schedule';
import { jobSpecSchema } from '@skipring/protocol';
import { initialAuxiliary, totalSteps, TrainingState, trainGeneration } from '@skipring/trainer';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { RingCollective } from '../../apps/worker/dist/compute/ring-collective.js';
import { NUM_CLASSES, randomBatch } from '../lib/batch.mjs';

const HOST = '127.0.0.1';
const [rank, core, laneSize, size] = process.argv.slice(2).map(Number);
// Before any other thread is there: they all inherit it.
execFileSync('taskset', ['-cp', String(core), String(process.pid)], { stdio: 'ignore' });

const thread = new Worker(new URL('ring-thread.mjs', import.meta.url));
const pending = [];
let port = 0;
await new Promise((resolve, reject) => {
  thread.on('error', reject);
  thread.on('message', (message) => {
    if (message.port !== undefined) {
      port = message.port;
      resolve();
      return;
    }
    const request = pending[message.id];
    if (message.error === null) request.resolve(message.traffic);
    else request.reject(new Error(message.error));
  });
});
const request = (body) =>
  new Promise((resolve, reject) => {
    pending.push({ resolve, reject });
    thread.postMessage({ id: pending.length - 1, request: body });
  });

await loadTensorFlow({ threads: 1, device: 'cpu' });
registerFusedKernels();
const inputShape = { height: size, width: size, channels: 3 };
const spec = jobSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'overlap',
  model: { family: 'resnet', depth: 50 },
  data: { dataSet: 'bench' },
  training: { epochs: 1, learningRate: 0.01 },
  lanes: { count: 2, size: laneSize },
  evaluation: { everyEpochs: 0 },
});
const model = buildModel(spec.model, inputShape, NUM_CLASSES, spec.seed);
const engine = compileEngine({
  model,
  spec: { ...spec.training, reduction: 'exact', precision: 'float32' },
  trainBatchSizes: [laneSize],
  evaluationBatchSizes: [],
  laneSize,
  numClasses: NUM_CLASSES,
  inputShape,
});
const initial = engine.readState();
const batch = randomBatch(inputShape, laneSize);

/** Trains from the start; resolves to the times of each step but the first. */
async function train({ ports, generation, numSteps, overlaps }) {
  engine.writeState(initial);
  const numSamples = numSteps * spec.lanes.count * laneSize;
  await request({
    kind: 'connectRing',
    fence: { jobId: 'overlap', attempt: 1, generation },
    rank,
    members: ports.map((of, index) => ({
      workerId: `rank-${index}`,
      host: HOST,
      port: of,
      lanes: [],
    })),
    ringToken: 'token of the benchmark',
    deadlineMs: 60_000,
  });
  const steps = [];
  const outcome = await trainGeneration({
    state: new TrainingState(engine, initialAuxiliary(spec, engine.layout, initial)),
    spec,
    numSamples,
    numClasses: NUM_CLASSES,
    collective: new RingCollective({ request }, rank, ports.length),
    batches: {
      numEvaluationBatches: 0,
      evaluationBatchSize: 1,
      seek() {},
      next: async () => batch,
    },
    checkpoints: { submit() {}, save: async () => ({ modelSha256: '0'.repeat(64) }) },
    report: {
      step: ({ parts, ringHiddenMs }) => steps.push({ ...parts, ringHiddenMs }),
      stateHash() {},
      layers() {},
      evaluation() {},
    },
    lanes: [rank],
    schedule: learningRateAt(spec.training, totalSteps(spec, numSamples)),
    deadlineMs: 120_000,
    signal: new AbortController().signal,
    hashEverySteps: 1_000_000,
    overlaps,
  });
  await request({ kind: 'closeRing' });
  if (outcome.kind !== 'finished') throw new Error(`rank ${rank}: ${JSON.stringify(outcome)}`);
  return steps.slice(1);
}

process.on('message', async (message) => {
  process.send({ steps: await train(message) });
});
process.on('disconnect', () => process.exit());
process.send({
  ready: {
    port,
    vectorBytes: engine.layout.length * 4,
    numBuckets: engine.layout.buckets.length,
    lastBucketBytes: engine.layout.buckets.at(-1).length * 4,
  },
});
