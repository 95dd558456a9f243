import type { CoordinatorMessage, Fence, StragglerPolicy, WorkerMessage } from '@skipring/protocol';
import { jobSpecSchema, PROTOCOL_VERSION } from '@skipring/protocol';
import { Cluster } from '../cluster.js';
import type { ClusterEffect, ClusterInput, Hello, QueuedJob } from '../messages.js';
import type { ClusterOptions } from '../options.js';

export function testHello(workerId: string, threads = 1, held: Hello['held'] = null): Hello {
  return {
    type: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    workerId,
    host: 'localhost',
    ringPort: 4000,
    device: { kind: 'cpu', name: 'test', memoryBytes: 0 },
    threads,
    takesFaults: true,
    held,
  };
}

export interface TestJob {
  readonly min?: number;
  readonly max?: number;
  readonly threads?: number;
  readonly tf32?: boolean;
  readonly lanes?: number;
  readonly priority?: number;
  readonly stragglers?: StragglerPolicy;
  readonly checkpointStep?: number | null;
}

export function testJob(id: string, options: TestJob = {}): QueuedJob {
  const {
    min = 1,
    max = 8,
    threads = 1,
    tf32 = true,
    lanes = 8,
    priority = 50,
    stragglers = 'report',
  } = options;
  const spec = jobSpecSchema.parse({
    apiVersion: 'skipring/v1',
    name: id,
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: 'digits' },
    training: { steps: 100 },
    lanes: { count: lanes, size: 4 },
    workers: { min, max, threads, tf32, stragglers },
    priority,
  });
  const dataSet = { hash: 'a'.repeat(64), manifest: {} } as QueuedJob['dataSet'];
  return {
    id,
    spec,
    attempt: 1,
    checkpointStep: options.checkpointStep ?? null,
    dataSet,
    expected: [],
    halt: null,
  };
}

/** A cluster with a clock of its own and the effects of all inputs so far. */
export class ClusterBench {
  readonly cluster: Cluster;
  readonly effects: ClusterEffect[] = [];
  nowMs = 0;
  /** Whether a worker that is told to load a job has done so at once. */
  loadAtOnce = true;
  private numTokens = 0;

  constructor(options: Partial<ClusterOptions> = {}) {
    this.cluster = new Cluster(() => `ring-token-${(this.numTokens += 1)}-of-the-test`, options);
  }

  apply(input: ClusterInput): ClusterEffect[] {
    const effects = this.cluster.apply(input, this.nowMs);
    this.effects.push(...effects);
    const loads = this.loadAtOnce ? sent(effects, 'load') : [];
    const later = loads.flatMap(({ workerId, message }) => this.loaded(workerId, message.fence));
    return [...effects, ...later];
  }

  connect(...ids: string[]): ClusterEffect[] {
    return ids.flatMap((id) => this.apply({ type: 'workerConnected', hello: testHello(id) }));
  }

  queue(id: string, options: TestJob = {}): ClusterEffect[] {
    return this.apply({ type: 'jobQueued', job: testJob(id, options) });
  }

  send(workerId: string, message: Exclude<WorkerMessage, Hello>): ClusterEffect[] {
    return this.apply({ type: 'workerMessage', workerId, message });
  }

  disconnect(workerId: string): ClusterEffect[] {
    return this.apply({ type: 'workerDisconnected', workerId, reason: 'closed' });
  }

  drain(workerId: string): ClusterEffect[] {
    return this.apply({ type: 'drainRequested', workerId, reason: 'maintenance' });
  }

  cancel(jobId: string): ClusterEffect[] {
    return this.apply({ type: 'cancelRequested', jobId });
  }

  pause(jobId: string): ClusterEffect[] {
    return this.apply({ type: 'pauseRequested', jobId });
  }

  /** Lets time pass; the workers named send a heartbeat first. */
  tick(ms: number, ...alive: string[]): ClusterEffect[] {
    this.nowMs += ms;
    const effects = alive.flatMap((id) => this.send(id, { type: 'heartbeat', computeSilentMs: 0 }));
    return [...effects, ...this.apply({ type: 'tick' })];
  }

  fence(jobId: string): Fence {
    const fence = this.cluster.job(jobId)?.fence;
    if (fence === null || fence === undefined) throw new Error(`${jobId} has no generation`);
    return fence;
  }

  members(jobId: string): readonly string[] {
    return this.cluster.job(jobId)?.workers ?? [];
  }

  ready(workerId: string, jobId: string, step = 0, stateHash = `s${step}`): ClusterEffect[] {
    const position = { step, epoch: 0, cursor: step };
    return this.send(workerId, { type: 'ready', fence: this.fence(jobId), position, stateHash });
  }

  loaded(workerId: string, fence: Fence, error: string | null = null): ClusterEffect[] {
    return this.send(workerId, { type: 'loaded', fence, error });
  }

  /** All members of the job's generation become ready. */
  allReady(jobId: string, step = 0): ClusterEffect[] {
    return this.members(jobId).flatMap((id) => this.ready(id, jobId, step));
  }

  step(
    workerId: string,
    jobId: string,
    step: number,
    stateHash: string | null = null,
    computeMs = 0,
  ): ClusterEffect[] {
    const rank = this.members(jobId).indexOf(workerId);
    return this.send(workerId, testStep(this.fence(jobId), rank, step, stateHash, computeMs));
  }

  abort(workerId: string, jobId: string, fatal = false): ClusterEffect[] {
    const position = { step: 0, epoch: 0, cursor: 0 };
    const fence = this.fence(jobId);
    const message = 'peer closed';
    return this.send(workerId, {
      type: 'aborted',
      fence,
      code: 'PEER_LOST',
      message,
      fatal,
      position,
    });
  }

  finish(workerId: string, jobId: string, modelSha256 = 'm'): ClusterEffect[] {
    const rank = this.members(jobId).indexOf(workerId);
    return this.send(workerId, { type: 'finished', fence: this.fence(jobId), rank, modelSha256 });
  }
}

export function testStep(
  fence: Fence,
  rank: number,
  step: number,
  stateHash: string | null,
  computeMs = 0,
): Extract<WorkerMessage, { type: 'step' }> {
  const parts = { dataWaitMs: 0, computeMs, ringMs: 0, commitMs: 0, applyMs: 0 };
  const values = { loss: 1, accuracy: 0.5, learningRate: 0.1, samples: 1, stepMs: 1 };
  const metrics = rank === 0 ? { step, epoch: 0, cursor: step, ...values } : null;
  return { type: 'step', fence, rank, step, parts, ringBytes: 0, samples: 1, metrics, stateHash };
}

export function sent<T extends CoordinatorMessage['type']>(
  effects: readonly ClusterEffect[],
  type: T,
): { workerId: string; message: Extract<CoordinatorMessage, { type: T }> }[] {
  return effects.flatMap((effect) =>
    effect.type === 'send' && effect.message.type === type
      ? [
          {
            workerId: effect.workerId,
            message: effect.message as Extract<CoordinatorMessage, { type: T }>,
          },
        ]
      : [],
  );
}

export function ofType<T extends ClusterEffect['type']>(
  effects: readonly ClusterEffect[],
  type: T,
): Extract<ClusterEffect, { type: T }>[] {
  return effects.filter((effect) => effect.type === type) as Extract<ClusterEffect, { type: T }>[];
}
