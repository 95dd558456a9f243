import type { CoordinatorMessage, Fence, Position, WorkerMessage } from '@skipring/protocol';
import { learningRateAt } from '@skipring/nn/schedule';
import { synchroniseState, totalSteps, trainGeneration } from '@skipring/trainer';
import type { Logger } from 'pino';
import type { FaultInjector } from '../faults/fault-injector.js';
import { isSameFence } from '../same-fence.js';
import { describeError } from '../thread-error.js';
import type { CheckpointOutcome } from './checkpoint-writer.js';
import type { IoLink } from './io-link.js';
import type { JobSession, JobToOpen, Prepare } from './job-session.js';
import { makeReporter } from './reporter.js';
import { RingCollective } from './ring-collective.js';

/** A wait for peers ends by a closed socket or a lost heartbeat; this only bounds what those miss. */
const COLLECTIVE_DEADLINE_MS = 120_000;
/** Peers may still load data and compile; the coordinator drops one that takes too long. */
const RING_CONNECT_DEADLINE_MS = 300_000;

type Start = Extract<CoordinatorMessage, { type: 'start' }>;
type Load = Extract<CoordinatorMessage, { type: 'load' }>;
type Stop = Extract<CoordinatorMessage, { type: 'stop' }>;

/** A generation that this worker has prepared, and the training in it once it has started. */
interface Membership {
  readonly prepare: Prepare;
  /** Of the state that it began with. */
  readonly stateHash: string;
  readonly controller: AbortController;
  training: Promise<void>;
}

/**
 * Follows the coordinator's messages on the compute thread, one after the other: prepare a
 * generation, train in it, leave it. The job's state outlives its generations.
 */
export class ComputeWorker {
  private session: JobSession | null = null;
  private membership: Membership | null = null;
  private queue: Promise<void> = Promise.resolve();
  /** Aborted when the connection to the coordinator is lost. */
  private connection = new AbortController();
  /** Grows whenever the generation that is being prepared or trained becomes pointless. */
  private numInterrupts = 0;

  constructor(
    private readonly link: Pick<IoLink, 'send' | 'request'>,
    private readonly openJob: (job: JobToOpen) => Promise<JobSession>,
    private readonly log: Logger,
    private readonly onReleased: () => void,
    /** Null: it takes no faults. */
    private readonly faults: Pick<FaultInjector, 'replace' | 'reach'> | null = null,
    /** Whether the ring begins with what is computed while the rest is. */
    private readonly overlaps = true,
  ) {}

  /** Never throws; messages are handled in order, and a failure is reported to the coordinator. */
  handle(message: CoordinatorMessage): void {
    // What makes the generation under way pointless ends it now, not when its turn comes.
    if (message.type === 'prepare' || message.type === 'stop') this.interrupt();
    const { numInterrupts } = this;
    const { signal } = this.connection;
    this.enqueue(() => this.follow(message, numInterrupts, signal));
  }

  /**
   * Without a coordinator there is no generation; the state is kept for the next one, also that whose
   * checkpoint nobody waits for any more.
   */
  gatewayClosed(): void {
    this.connection.abort();
    this.connection = new AbortController();
    this.interrupt();
    this.enqueue(() => this.leave());
  }

  /** Peers see the ring close at once; then training ends. */
  async close(): Promise<void> {
    this.interrupt();
    await this.queue;
    await this.leave();
    await this.forget();
  }

  /** Ends what waits for peers, also a ring that is being connected. */
  private interrupt(): void {
    this.numInterrupts += 1;
    this.membership?.controller.abort();
    void this.closeRing();
  }

  /** Fails only with the I/O thread, and the ring's sockets with it. */
  private async closeRing(): Promise<void> {
    await this.link.request({ kind: 'closeRing' }).catch((error: unknown) => {
      this.log.warn({ err: error }, 'the ring could not be closed');
    });
  }

  private enqueue(action: () => Promise<void>): void {
    this.queue = this.queue.then(action).catch((error: unknown) => {
      this.log.error({ err: error }, 'a message could not be followed');
    });
  }

  private async follow(
    message: CoordinatorMessage,
    numInterrupts: number,
    connection: AbortSignal,
  ): Promise<void> {
    switch (message.type) {
      case 'prepare':
        await this.prepare(message, numInterrupts);
        return;
      case 'faults':
        this.faults?.replace(message.faults, message.fence);
        return;
      case 'load':
        await this.load(message);
        return;
      case 'start':
        this.start(message);
        return;
      case 'stop':
        await this.stop(message, connection);
        return;
      case 'released':
        this.onReleased();
        return;
      case 'refused':
        this.log.warn({ code: message.code }, message.message);
        return;
      case 'welcome':
        return;
    }
  }

  private async prepare(prepare: Prepare, numInterrupts: number): Promise<void> {
    const { fence, rank, members, ringToken } = prepare;
    await this.leave();
    try {
      const session = await this.sessionFor(prepare);
      await session.enter(prepare);
      // Loading takes a while; the peers of a generation that was given up meanwhile never come.
      if (numInterrupts !== this.numInterrupts) return;
      await this.link.request({
        kind: 'connectRing',
        fence,
        rank,
        members,
        ringToken,
        deadlineMs: RING_CONNECT_DEADLINE_MS,
      });
      const { state } = session.parts;
      const stateHash = state.hash();
      this.membership = {
        prepare,
        stateHash,
        controller: new AbortController(),
        training: Promise.resolve(),
      };
      const { notice } = session.parts;
      if (rank === 0 && notice && state.position.step === 0) {
        this.send({ type: 'notice', fence, message: notice.slice(0, 2_000) });
      }
      this.send({ type: 'ready', fence, position: state.position, stateHash });
      this.log.info({ ...fence, rank, worldSize: members.length }, 'generation prepared');
    } catch (error) {
      const { code, message } = describeError(error);
      this.log.error({ ...fence, rank, code, err: error }, 'cannot join the generation');
      this.send({
        type: 'aborted',
        fence,
        code,
        message: message.slice(0, 2_000),
        fatal: isFatal(code),
        position: this.session?.parts.state.position ?? { step: 0, epoch: 0, cursor: 0 },
      });
    }
  }

  /** Loads a job ahead of a generation of it; those who train are not held meanwhile. */
  private async load(message: Load): Promise<void> {
    const { fence } = message;
    try {
      await this.sessionFor(message);
      this.send({ type: 'loaded', fence, error: null });
      this.log.info({ ...fence }, 'job loaded');
    } catch (error) {
      const { code, message: why } = describeError(error);
      this.log.error({ ...fence, code, err: error }, 'cannot load the job');
      this.send({ type: 'loaded', fence, error: `${code}: ${why}`.slice(0, 2_000) });
    }
  }

  /** A state kept from an earlier generation of the job is gone on with. */
  private async sessionFor(job: JobToOpen): Promise<JobSession> {
    if (this.session?.parts.jobId === job.fence.jobId) return this.session;
    await this.forget();
    this.session = await this.openJob(job);
    return this.session;
  }

  private start(message: Start): void {
    const { membership, session } = this;
    if (membership === null || session === null) return;
    if (!isSameFence(membership.prepare.fence, message.fence)) return;
    membership.training = this.train(membership, session, message);
  }

  private async train(membership: Membership, session: JobSession, start: Start): Promise<void> {
    const { fence, rank, members } = membership.prepare;
    const { signal } = membership.controller;
    const collective = new RingCollective(this.link, rank, members.length);
    const { state, spec, numSamples, numClasses, batches } = session.parts;
    const { faults } = this;
    try {
      if (members.length > 1) {
        const { sourceRank } = start;
        await synchroniseState({
          state,
          stateHash: membership.stateHash,
          collective,
          sourceRank,
          deadlineMs: COLLECTIVE_DEADLINE_MS,
        });
      }
    } catch (error) {
      const { code, message } = describeError(error);
      this.abort(fence, code, message, false, state.position);
      return;
    }
    const outcome = await trainGeneration({
      state,
      spec,
      numSamples,
      numClasses,
      collective,
      batches,
      checkpoints: session.checkpoints(fence, (outcome) => {
        this.tellCheckpoint(fence, outcome);
      }),
      report: makeReporter(fence, rank, (message) => {
        this.send(message);
      }),
      lanes: members[rank]?.lanes ?? [],
      schedule: learningRateAt(spec.training, totalSteps(spec, numSamples)),
      deadlineMs: COLLECTIVE_DEADLINE_MS,
      signal,
      overlaps: this.overlaps,
      ...(faults === null ? {} : { onPhase: (phase, step) => faults.reach(phase, step, fence) }),
    });
    switch (outcome.kind) {
      case 'finished':
        this.send({ type: 'finished', fence, rank, modelSha256: outcome.modelSha256 });
        return;
      case 'stopped':
        return;
      case 'aborted':
        if (outcome.stateLost) await this.forget();
        this.abort(fence, outcome.code, outcome.error.message, outcome.fatal, outcome.position);
        await this.closeRing();
        return;
    }
  }

  private abort(
    fence: Fence,
    code: string,
    message: string,
    fatal: boolean,
    position: Position,
  ): void {
    this.log.warn({ ...fence, code }, message);
    this.send({ type: 'aborted', fence, code, message: message.slice(0, 2_000), fatal, position });
  }

  private async stop(message: Stop, connection: AbortSignal): Promise<void> {
    await this.leave();
    const { session } = this;
    if (session?.parts.jobId === message.fence.jobId) {
      const { state } = session.parts;
      const isToStore = message.checkpoint && state.position.step > 0;
      // Until another job is loaded, as long as nothing else may hold the state.
      const isKept = isToStore && !(await this.isStored(session, message.fence, connection));
      if (!isKept) await this.forget();
    }
    this.send({ type: 'stopped', fence: message.fence });
  }

  /** Stores the state for a stop; true once that is acknowledged. A failure is told, and no reason to stay. */
  private async isStored(
    session: JobSession,
    fence: Fence,
    connection: AbortSignal,
  ): Promise<boolean> {
    if (connection.aborted) return false;
    const tell = (outcome: CheckpointOutcome): void => {
      this.tellCheckpoint(fence, outcome);
    };
    const snapshot = session.parts.state.snapshot();
    return session
      .checkpoints(fence, tell, connection)
      .save({ snapshot, heldMs: 0 })
      .then(
        () => true,
        () => false,
      );
  }

  private tellCheckpoint(fence: Fence, { reason, ...outcome }: CheckpointOutcome): void {
    const { step, result } = outcome;
    if (result === 'failed') this.log.error({ ...fence, step, reason }, 'checkpoint not stored');
    this.send({ type: 'checkpoint', fence, ...outcome, reason: reason.slice(0, 2_000) });
  }

  /** Ends the training of the current generation and closes its ring. */
  private async leave(): Promise<void> {
    const { membership } = this;
    this.membership = null;
    if (membership === null) return;
    membership.controller.abort();
    await this.closeRing();
    await membership.training;
  }

  private async forget(): Promise<void> {
    const { session } = this;
    this.session = null;
    await session?.close();
  }

  private send(message: WorkerMessage): void {
    this.link.send(message);
  }
}

const fatalCodes = new Set([
  'MODEL_INVALID',
  'STATE_MISMATCH',
  'WEIGHTS_MISMATCH',
  'CONSTANT_DIFFERS',
  'RECORDING_DIFFERS',
  'VALUE_READ',
  'ATTRIBUTE_UNSUPPORTED',
]);

/** Errors of the job itself: the same with any other members. */
function isFatal(code: string): boolean {
  return fatalCodes.has(code);
}
