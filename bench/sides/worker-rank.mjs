// One rank that trains one lane with the ring on a thread of its own, as a worker does. Arguments: the
// core it is bound to, the model as in a job spec (JSON), samples of the lane, height and width of an
// image.
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
const [core, modelSpec, laneSize, size] = process.argv.slice(2).map((text) => JSON.parse(text));
// The threads that Node.js has begun with, and by inheritance all later ones.
execFileSync('taskset', ['-acp', String(core), String(process.pid)], { stdio: 'ignore' });

const thread = new Worker(new URL('ring-thread.mjs', import.meta.url));
const pending = [];
let address;
await new Promise((resolve, reject) => {
  thread.on('error', reject);
  thread.on('message', (message) => {
    if (message.address !== undefined) {
      address = { host: HOST, ...message.address };
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
/** A job of one lane per rank. */
const specOf = (numRanks) =>
  jobSpecSchema.parse({
    apiVersion: 'skipring/v1',
    name: 'bench',
    model: modelSpec,
    data: { dataSet: 'bench' },
    training: { epochs: 1, learningRate: 0.01 },
    lanes: { count: numRanks, size: laneSize },
    evaluation: { everyEpochs: 0 },
  });
const { model: parsedModel, training, seed } = specOf(1);
const model = buildModel(parsedModel, inputShape, NUM_CLASSES, seed);
const engine = compileEngine({
  model,
  spec: { ...training, reduction: 'exact', precision: 'float32' },
  trainBatchSizes: [laneSize],
  evaluationBatchSizes: [],
  laneSize,
  numClasses: NUM_CLASSES,
  inputShape,
});
const initial = engine.readState();
const batch = randomBatch(inputShape, laneSize);

/**
 * Trains from the start in the ring of `addresses`, this rank's among them; resolves to the times of
 * each step but the first.
 */
async function train({ addresses, generation, numSteps, overlaps }) {
  engine.writeState(initial);
  const rank = addresses.findIndex(({ port }) => port === address.port);
  const spec = specOf(addresses.length);
  const numSamples = numSteps * addresses.length * laneSize;
  await request({
    kind: 'connectRing',
    fence: { jobId: 'bench', attempt: 1, generation },
    rank,
    members: addresses.map((of, index) => ({ workerId: `rank-${index}`, lanes: [], ...of })),
    ringToken: 'token of the benchmark',
    deadlineMs: 60_000,
  });
  const steps = [];
  let last = performance.now();
  const outcome = await trainGeneration({
    state: new TrainingState(engine, initialAuxiliary(spec, engine.layout, initial)),
    spec,
    numSamples,
    numClasses: NUM_CLASSES,
    collective: new RingCollective({ request }, rank, addresses.length),
    batches: {
      numEvaluationBatches: 0,
      evaluationBatchSize: 1,
      seek() {},
      next: async () => batch,
    },
    checkpoints: { submit() {}, save: async () => ({ modelSha256: '0'.repeat(64) }) },
    report: {
      step: ({ parts, ringHiddenMs }) => {
        const now = performance.now();
        steps.push({ ...parts, ringHiddenMs, elapsedMs: now - last });
        last = now;
      },
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
    address,
    vectorBytes: engine.layout.length * 4,
    numBuckets: engine.layout.buckets.length,
    lastBucketBytes: engine.layout.buckets.at(-1).length * 4,
  },
});
