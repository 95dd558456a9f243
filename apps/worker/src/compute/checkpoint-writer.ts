import type { CheckpointResult } from '@skipring/protocol';
import { isBest, type DueCheckpoint, type Snapshot } from '@skipring/trainer';

/** What became of a checkpoint. */
export interface CheckpointOutcome {
  readonly step: number;
  readonly result: CheckpointResult;
  /** Empty when it is stored. */
  readonly reason: string;
  readonly heldMs: number;
}

export type TellOutcome = (outcome: CheckpointOutcome) => void;

/** Stores a snapshot, whose tensors are its own from then on; resolves when it is durable. */
export type StoreSnapshot = (
  snapshot: Snapshot,
  signal: AbortSignal,
) => Promise<{ modelSha256: string }>;

interface Job {
  readonly due: DueCheckpoint;
  readonly tell: TellOutcome;
}

/**
 * Stores checkpoints beside training: one at a time, and one more may wait. A newer one takes the
 * place of the one that waits, unless that is of the best model and the newer one is not. So at most
 * two states are held in memory, however slow the storage is.
 */
export class CheckpointWriter {
  private waiting: Job | null = null;
  private current: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;

  constructor(private readonly store: StoreSnapshot) {}

  submit(due: DueCheckpoint, tell: TellOutcome): void {
    const job = { due, tell };
    if (this.current === null) {
      this.begin(job);
      return;
    }
    const { waiting } = this;
    const isKept = waiting !== null && isBest(waiting.due.snapshot) && !isBest(due.snapshot);
    this.waiting = isKept ? waiting : job;
    skip(isKept ? job : waiting);
  }

  /** Stores this one at once, in place of what is under way or waits. Throws what the store throws. */
  async save(
    due: DueCheckpoint,
    tell: TellOutcome,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ modelSha256: string }> {
    await this.abandon();
    return this.run({ due, tell }, signal);
  }

  /** Gives up what is under way or waits. */
  async abandon(): Promise<void> {
    skip(this.waiting);
    this.waiting = null;
    this.current?.abort.abort();
    await this.current?.done;
  }

  private begin(job: Job): void {
    const abort = new AbortController();
    const done = this.run(job, abort.signal).then(
      () => undefined,
      () => undefined,
    );
    this.current = { abort, done: done.then(() => this.next()) };
  }

  private next(): void {
    const { waiting } = this;
    this.current = null;
    this.waiting = null;
    if (waiting !== null) this.begin(waiting);
  }

  private async run({ due, tell }: Job, signal: AbortSignal): Promise<{ modelSha256: string }> {
    const { step } = due.snapshot.position;
    const { heldMs } = due;
    try {
      const stored = await this.store(due.snapshot, signal);
      tell({ step, heldMs, result: 'stored', reason: '' });
      return stored;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const isSkipped = signal.aborted;
      tell({ step, heldMs, result: isSkipped ? 'skipped' : 'failed', reason });
      throw error;
    }
  }
}

function skip(job: Job | null): void {
  if (job === null) return;
  const { snapshot, heldMs } = job.due;
  const { step } = snapshot.position;
  job.tell({ step, heldMs, result: 'skipped', reason: 'a newer checkpoint took its place' });
}
