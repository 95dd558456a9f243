// One rank that trains jobs over a ring, in one thread. Arguments: rank, directory of the data set.
import {
  evaluationBatch,
  evaluationBatches,
  evaluationBatchSizes,
  LaneBatches,
  trainBatchSizes,
} from '@skipring/data';
import { loadSplit, parseManifest } from '@skipring/data/files';
import { allReduce, broadcast } from '@skipring/collective';
import { compileEngine, loadTensorFlow } from '@skipring/graph';
import { buildModel, registerFusedKernels } from '@skipring/nn';
import { learningRateAt } from '@skipring/nn/schedule';
import { jobSpecSchema } from '@skipring/protocol';
import { initialAuxiliary, totalSteps, TrainingState, trainGeneration } from '@skipring/trainer';
import { connectRing, RingListener } from '@skipring/transport-ws';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const HOST = '127.0.0.1';
const EVALUATION_BATCH_SIZE = 128;
const rank = Number(process.argv[2]);
const directory = process.argv[3];

await loadTensorFlow({ threads: 1, device: 'cpu' });
registerFusedKernels();
const manifest = parseManifest(JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')));
const train = await loadSplit(directory, manifest, 'train');
const test = await loadSplit(directory, manifest, 'test');
const numClasses = manifest.classes.length;
const listener = await RingListener.listen({ host: HOST, port: 0 });

async function runJob({ spec: input, ports, lanes, skippedSteps, exchangeLimitBytes }) {
  const spec = jobSpecSchema.parse(input);
  const { height, width, channels } = manifest;
  const inputShape = { height, width, channels };
  const engine = compileEngine({
    model: buildModel(spec.model, inputShape, numClasses, spec.seed),
    spec: {
      ...spec.training,
      reduction: spec.reduction === 'exact' ? 'exact' : 'float32',
      precision: spec.precision,
    },
    trainBatchSizes: trainBatchSizes(train.samples, spec.lanes),
    evaluationBatchSizes: evaluationBatchSizes(test.samples, EVALUATION_BATCH_SIZE),
    laneSize: spec.lanes.size,
    numClasses,
    inputShape,
  });
  const batches = await LaneBatches.start({
    source: train,
    manifest,
    spec: { seed: spec.seed, lanes: spec.lanes, augmentation: spec.data.augmentation },
    depth: 8,
  });
  const transport = await connectRing({
    listener,
    fence: { jobId: spec.name, attempt: 1, generation: 1 },
    rank,
    members: ports.map((port) => ({ host: HOST, port })),
    ringToken: 'token of the benchmark',
    deadlineMs: 60_000,
    exchangeLimitBytes,
  });
  const collective = {
    rank,
    worldSize: ports.length,
    get bytesSent() {
      return transport.bytesSent;
    },
    // Its one thread computes or reduces: nothing overlaps.
    busyMs: 0,
    allReduce: (vector, deadlineMs, wire) =>
      allReduce(transport, vector, {
        deadlineMs,
        ...(wire === 'bfloat16' && { bfloat16: { mode: 'nearest' } }),
      }),
    broadcast: (bytes, root, deadlineMs) => broadcast(transport, bytes, root, { deadlineMs }),
  };
  let accuracy = null;
  let trainMs = 0;
  let ringBytes = 0;
  let cpuBefore = process.cpuUsage();
  let cpu = process.cpuUsage(cpuBefore);
  const outcome = await trainGeneration({
    state: new TrainingState(engine, initialAuxiliary(spec, engine.layout, engine.readState())),
    spec,
    numSamples: train.samples,
    numClasses,
    collective,
    batches: {
      numEvaluationBatches: evaluationBatches(test.samples, EVALUATION_BATCH_SIZE),
      evaluationBatchSize: EVALUATION_BATCH_SIZE,
      seek: (position, owned) => batches.seek(position, owned),
      next: (lane) => batches.next(lane),
      evaluation: (index) => evaluationBatch(test, manifest, index, EVALUATION_BATCH_SIZE),
    },
    checkpoints: { submit: () => undefined, save: async () => ({ modelSha256: '0'.repeat(64) }) },
    report: {
      step: ({ step, parts, ringBytes: bytes }) => {
        if (step === skippedSteps) cpuBefore = process.cpuUsage();
        if (step <= skippedSteps) return;
        cpu = process.cpuUsage(cpuBefore);
        trainMs += Object.values(parts).reduce((sum, ms) => sum + ms, 0);
        ringBytes += bytes;
      },
      stateHash: () => undefined,
      evaluation: (result) => (accuracy = result.accuracy),
      checkpoint: () => undefined,
    },
    lanes,
    schedule: learningRateAt(spec.training, totalSteps(spec, train.samples)),
    deadlineMs: 120_000,
    signal: new AbortController().signal,
    hashEverySteps: 1_000_000,
  });
  await transport.close();
  await batches.close();
  engine.dispose();
  if (outcome.kind !== 'finished') throw new Error(`rank ${rank}: ${JSON.stringify(outcome)}`);
  return { accuracy, trainMs, ringBytes, cpuMs: (cpu.user + cpu.system) / 1e3 };
}

process.on('message', async (request) => {
  process.send(await runJob(request));
});
process.on('disconnect', () => process.exit());
process.send({ ready: { port: listener.port } });
