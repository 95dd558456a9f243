import { encodeSnapshot } from '@skipring/checkpoint';
import { jobSpecSchema, type CoordinatorMessage, type WorkerMessage } from '@skipring/protocol';
import { TrainingState } from '@skipring/trainer';
import { ArithmeticEngine, MemoryBatches } from '@skipring/trainer/testing';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { IoRequest, RingTraffic } from '../thread-messages.js';
import { ComputeWorker } from './compute-worker.js';
import { JobSession, type Prepare } from './job-session.js';

const NO_TRAFFIC: RingTraffic = { bytesSent: 0, busyMs: 0 };

type Stop = Extract<CoordinatorMessage, { type: 'stop' }>;

const NUM_SAMPLES = 32;
const spec = jobSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'made-up',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: 'made-up' },
  training: { steps: 100 },
  lanes: { count: 2, size: 4 },
  checkpoints: {},
});
const shape = { numFeatures: 5, numClasses: 3 };
const fence = (generation: number) => ({ jobId: 'job', attempt: 1, generation });

function stateAt(step: number): TrainingState {
  const state = new TrainingState(new ArithmeticEngine({ ...shape, laneSize: 4, seed: 1 }));
  state.position = { step, epoch: 0, cursor: 0 };
  return state;
}

function prepareMessage(generation: number, rank = 0, checkpointStep: number | null = null) {
  const member = { workerId: 'w', host: 'localhost', port: 4000, lanes: [] };
  return {
    type: 'prepare',
    fence: fence(generation),
    spec,
    dataSet: { hash: 'a'.repeat(64), manifest: {} as Prepare['dataSet']['manifest'] },
    members: Array.from({ length: rank + 1 }, () => member),
    rank,
    ringToken: 'a-token-of-the-test',
    checkpointStep,
    reason: 'a test',
  } satisfies Prepare;
}

const stopMessage = (generation: number, checkpoint: boolean): Stop => ({
  type: 'stop',
  fence: fence(generation),
  checkpoint,
  reason: 'a test',
});

/** A worker on an arithmetic engine, with what it sends, asks of the ring and stores. */
class WorkerBench {
  readonly sent: WorkerMessage[] = [];
  readonly requests: IoRequest['kind'][] = [];
  readonly stored: { generation: number; step: number }[] = [];
  private generation = 0;
  readonly worker: ComputeWorker;
  numOpened = 0;
  /** Data and model of a new session. */
  loaded: Promise<void> = Promise.resolve();
  /** Called for every request to the I/O thread. */
  answer: (request: IoRequest) => Promise<RingTraffic> = () => Promise.resolve(NO_TRAFFIC);
  readonly state = stateAt(0);
  /** What becomes of a checkpoint that is stored. */
  acknowledge: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  constructor() {
    this.worker = new ComputeWorker(
      {
        send: (message) => this.sent.push(message),
        request: (request) => {
          this.requests.push(request.kind);
          return this.answer(request);
        },
      },
      async () => {
        this.numOpened += 1;
        await this.loaded;
        return this.session();
      },
      pino({ level: 'silent' }),
      () => undefined,
    );
  }

  handle(...messages: CoordinatorMessage[]): void {
    for (const message of messages) this.worker.handle(message);
  }

  async next<T extends WorkerMessage['type']>(
    type: T,
  ): Promise<Extract<WorkerMessage, { type: T }>> {
    return vi.waitFor(() => {
      const index = this.sent.findIndex((message) => message.type === type);
      if (index < 0) throw new Error(`no ${type} was sent`);
      const [message] = this.sent.splice(index, 1);
      return message as Extract<WorkerMessage, { type: T }>;
    });
  }

  private session(): JobSession {
    const batches = new MemoryBatches({
      ...shape,
      numSamples: NUM_SAMPLES,
      numEvaluationSamples: 0,
      lanes: spec.lanes,
    });
    return new JobSession({
      jobId: 'job',
      spec,
      state: this.state,
      batches: Object.assign(batches, { close: () => Promise.resolve() }),
      numSamples: NUM_SAMPLES,
      numClasses: shape.numClasses,
      download: {
        checkpoint: (_jobId, step) => Promise.resolve(encodeSnapshot(stateAt(step).snapshot())),
      },
      upload: {
        enter: ({ generation }) => {
          this.generation = generation;
        },
        store: async ({ position }, signal) => {
          this.stored.push({ generation: this.generation, step: position.step });
          await this.acknowledge(signal);
          return { modelSha256: 'm' };
        },
        close: () => Promise.resolve(),
      },
    });
  }
}

describe('the compute worker', () => {
  it('starts a new state from the checkpoint', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40));
    expect((await bench.next('ready')).position.step).toBe(40);
  });

  it('goes on with the state that it kept while the coordinator was away', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40));
    await bench.next('ready');
    bench.worker.gatewayClosed();
    bench.state.position = { step: 47, epoch: 0, cursor: 0 };
    bench.handle(prepareMessage(2, 0, 40));
    expect((await bench.next('ready')).position.step).toBe(47);
    expect(bench.numOpened).toBe(1);
  });

  it('goes from a state that it kept to a checkpoint that is further', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40));
    await bench.next('ready');
    bench.worker.gatewayClosed();
    bench.handle(prepareMessage(2, 0, 90));
    expect((await bench.next('ready')).position.step).toBe(90);
    expect(bench.numOpened).toBe(1);
  });

  it('stores its state on a stop that says so, whatever its rank', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(3, 2, 40), stopMessage(3, true));
    await bench.next('stopped');
    expect(bench.stored).toEqual([{ generation: 3, step: 40 }]);
  });

  it('stores the state that it kept when it could not join the generation', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40));
    await bench.next('ready');
    bench.answer = ({ kind }) =>
      kind === 'connectRing' ? Promise.reject(new Error('no peer')) : Promise.resolve(NO_TRAFFIC);
    bench.handle(prepareMessage(2, 1, 40));
    await bench.next('aborted');
    bench.handle(stopMessage(2, true));
    await bench.next('stopped');
    expect(bench.stored).toEqual([{ generation: 2, step: 40 }]);
  });

  it('stores nothing on a stop without the flag, even as rank 0', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40), stopMessage(1, false));
    await bench.next('stopped');
    expect(bench.stored).toEqual([]);
  });

  it('forgets the state on a stop', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1), stopMessage(1, false));
    await bench.next('stopped');
    bench.handle(prepareMessage(2));
    await vi.waitFor(() => {
      expect(bench.numOpened).toBe(2);
    });
  });

  it('keeps the state on a stop until its checkpoint is acknowledged', async () => {
    const bench = new WorkerBench();
    let acknowledge: () => void = () => undefined;
    bench.acknowledge = () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      });
    bench.handle(prepareMessage(1, 0, 40), stopMessage(1, true));
    await vi.waitFor(() => {
      expect(bench.stored).toHaveLength(1);
    });
    expect(bench.sent).toEqual([]);
    acknowledge();
    await bench.next('stopped');
    bench.handle(prepareMessage(2, 0, 40));
    await vi.waitFor(() => {
      expect(bench.numOpened).toBe(2);
    });
  });

  it('keeps the state on a stop whose checkpoint can not be stored', async () => {
    const bench = new WorkerBench();
    bench.acknowledge = () => Promise.reject(new Error('the disk is full'));
    bench.handle(prepareMessage(1, 0, 40), stopMessage(1, true));
    expect(await bench.next('checkpoint')).toMatchObject({ step: 40, result: 'failed' });
    await bench.next('stopped');
    bench.handle(prepareMessage(2, 0, 30));
    expect((await bench.next('ready')).position.step).toBe(40);
    expect(bench.numOpened).toBe(1);
  });

  it('keeps the state, and waits no longer, when the connection that asked to store it is lost', async () => {
    const bench = new WorkerBench();
    bench.acknowledge = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    bench.handle(prepareMessage(1, 0, 40));
    await bench.next('ready');
    bench.handle(stopMessage(1, true));
    await vi.waitFor(() => {
      expect(bench.stored).toHaveLength(1);
    });
    bench.worker.gatewayClosed();
    expect(await bench.next('checkpoint')).toMatchObject({ step: 40, result: 'skipped' });
    bench.handle(prepareMessage(2, 0, 30));
    expect((await bench.next('ready')).position.step).toBe(40);
    expect(bench.numOpened).toBe(1);
  });

  it('stores nothing for a connection that is lost already', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1, 0, 40), stopMessage(1, true));
    bench.worker.gatewayClosed();
    await bench.next('stopped');
    expect(bench.stored).toEqual([]);
    bench.handle(prepareMessage(2, 0, 30));
    await bench.next('ready');
    expect(bench.numOpened).toBe(1);
  });

  it('does not connect the ring of a generation that was given up while it loaded', async () => {
    const bench = new WorkerBench();
    let load: () => void = () => undefined;
    bench.loaded = new Promise((resolve) => {
      load = resolve;
    });
    const generations: number[] = [];
    bench.answer = (request) => {
      if (request.kind === 'connectRing') generations.push(request.fence.generation);
      return Promise.resolve(NO_TRAFFIC);
    };
    bench.handle(prepareMessage(1));
    await vi.waitFor(() => {
      expect(bench.numOpened).toBe(1);
    });
    bench.handle(prepareMessage(2));
    load();
    expect((await bench.next('ready')).fence.generation).toBe(2);
    expect(generations).toEqual([2]);
    expect(bench.numOpened).toBe(1);
  });

  it('closes the ring that it connects when the next generation is prepared', async () => {
    const bench = new WorkerBench();
    let giveUp: (error: Error) => void = () => undefined;
    bench.answer = (request) => {
      if (request.kind === 'closeRing') giveUp(new Error('closed'));
      if (request.kind !== 'connectRing' || request.fence.generation > 1)
        return Promise.resolve(NO_TRAFFIC);
      return new Promise((_, reject) => {
        giveUp = reject;
      });
    };
    bench.handle(prepareMessage(1));
    await vi.waitFor(() => {
      expect(bench.requests).toContain('connectRing');
    });
    bench.handle(prepareMessage(2));
    expect((await bench.next('ready')).fence.generation).toBe(2);
  });

  it('closes the ring and ends while it connects to peers', async () => {
    const bench = new WorkerBench();
    let giveUp: (error: Error) => void = () => undefined;
    bench.answer = ({ kind }) => {
      if (kind === 'closeRing') giveUp(new Error('closed'));
      if (kind !== 'connectRing') return Promise.resolve(NO_TRAFFIC);
      return new Promise((_, reject) => {
        giveUp = reject;
      });
    };
    bench.handle(prepareMessage(1));
    await vi.waitFor(() => {
      expect(bench.requests).toContain('connectRing');
    });
    await bench.worker.close();
    expect(bench.requests).toContain('closeRing');
  });

  it('ends when the I/O thread is gone', async () => {
    const bench = new WorkerBench();
    bench.handle(prepareMessage(1));
    await bench.next('ready');
    bench.answer = () => Promise.reject(new Error('the I/O thread has ended'));
    await expect(bench.worker.close()).resolves.toBeUndefined();
  });
});
