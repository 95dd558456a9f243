import type { StepRecord } from '@skipring/protocol';
import type { JobHistories, JobRecord } from '@skipring/redis';
import { StepThinner } from './thin-steps.js';

/** Of histories that are kept; one of 6,000 points takes about 2 MB. */
const MAX_KEPT = 16;

interface Kept {
  thinner: StepThinner;
  /** Ends when all that was asked for before is read. */
  turn: Promise<void>;
}

/**
 * Whole histories, thinned. Those that were read last are kept: a long one is read from the store once,
 * and after that only what it has grown by.
 */
export class ThinnedHistories {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly histories: Pick<JobHistories, 'stepPages'>) {}

  /** From the first step to the last that is committed. Throws STORE_UNAVAILABLE. */
  async read(
    { id, attempt, generation, progress }: JobRecord,
    points: number,
  ): Promise<StepRecord[]> {
    const range = { fromStep: 1, toStep: progress.step };
    // A new generation may take steps again.
    const key = [id, attempt, generation, points].join(' ');
    const kept = this.kept.get(key) ?? {
      thinner: new StepThinner(range, points),
      turn: Promise.resolve(),
    };
    this.keep(key, kept);
    const turn = kept.turn.then(async () => {
      if (!kept.thinner.fits(range, points)) kept.thinner = new StepThinner(range, points);
      const { thinner } = kept;
      for await (const page of this.histories.stepPages(id, thinner.nextStep, range.toStep)) {
        for (const record of page) thinner.observe(record);
      }
      return thinner.thinned();
    });
    kept.turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** As the newest; the oldest goes. */
  private keep(key: string, kept: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MAX_KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}
