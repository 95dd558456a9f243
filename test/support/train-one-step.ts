import { encodeSnapshot } from '@skipring/checkpoint';
import type { Fence, WorkerMessage } from '@skipring/protocol';
import { jobIn, submit, waitingJob, type TestCoordinator } from './coordinator.js';
import type { FakeWorker } from './fake-worker.js';

/** Trains one step of a job on a worker of words alone: step, evaluation, checkpoint, end. */
export async function trainOneStep(
  coordinator: TestCoordinator,
  worker: FakeWorker,
  beforeTheEnd: (jobId: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const { id } = await submit(coordinator, waitingJob({ training: { steps: 1 } }));
  const { fence } = await worker.enterGeneration();
  worker.send(stepReport(fence));
  const worst = [{ sample: 1, label: 1, predicted: 0, loss: 2 }];
  const counts = { samples: 2, confusion: [[1], [1]], worst };
  const result = { step: 1, epoch: 0, loss: 1, accuracy: 0.5, ...counts };
  worker.send({ type: 'evaluation', fence, result });
  worker.send(layersReport(fence));
  const { attempt, generation } = fence;
  const stored = await coordinator.send(
    `/internal/jobs/${id}/checkpoints/1?attempt=${attempt}&generation=${generation}`,
    { method: 'PUT', body: snapshot() },
  );
  if (!stored.ok) throw new Error(`upload: ${stored.status} ${await stored.text()}`);
  const { modelSha256 } = (await stored.json()) as { modelSha256: string };
  await beforeTheEnd(id);
  worker.send({ type: 'finished', fence, rank: 0, modelSha256 });
  await worker.next('stop');
  worker.send({ type: 'stopped', fence });
  await jobIn(coordinator, id, 'succeeded');
  return id;
}

function snapshot(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    encodeSnapshot({
      position: { step: 1, epoch: 0, cursor: 8 },
      tensors: new Map([['weights', { shape: [2], values: Float32Array.of(1, 2) }]]),
      exponents: Int32Array.of(3),
      scores: { last: { step: 1, accuracy: 0.5 }, best: { step: 1, accuracy: 0.5 } },
    }),
  );
}

function layersReport(fence: Fence): WorkerMessage {
  const statistics = {
    step: 1,
    epoch: 0,
    gradientNorm: [0.5],
    weightNorm: [1],
    activationMean: [0],
    activationVariance: [null],
  };
  const layers = [{ name: 'classifier', kind: 'dense', numParameters: 2 }] as const;
  return { type: 'layers', fence, layers: [...layers], statistics };
}

function stepReport(fence: Fence): WorkerMessage {
  const metrics = {
    step: 1,
    epoch: 0,
    cursor: 8,
    loss: 1.5,
    accuracy: 0.25,
    learningRate: 0.1,
    samples: 8,
    stepMs: 20,
  };
  const parts = { dataWaitMs: 1, computeMs: 10, ringMs: 2, commitMs: 1, applyMs: 6 };
  const stateHash = 'state-1';
  return {
    type: 'step',
    fence,
    rank: 0,
    step: 1,
    parts,
    ringBytes: 64,
    samples: 8,
    metrics,
    stateHash,
  };
}
