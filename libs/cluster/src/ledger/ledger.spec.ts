import type { LedgerEpoch, LedgerSummary, StepMetrics, StoredLedger } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { Ledger, MAX_ENDED_EPOCHS, type LedgerChange } from './ledger.js';
import { MAX_RANGES } from './ranges.js';
import { ledgerView } from './view.js';

// An epoch of 23 samples: steps of 10, 10 and 3.
const PLAN = { numSamples: 23, batchSize: 10 };
const STEPS = 3;

function metricsOf(step: number, changes: Partial<StepMetrics> = {}): StepMetrics {
  const inEpoch = (step - 1) % STEPS;
  const cursor = Math.min(PLAN.numSamples, (inEpoch + 1) * PLAN.batchSize);
  const samples = cursor - inEpoch * PLAN.batchSize;
  const values = { loss: 1, accuracy: 0.5, learningRate: 0.1, stepMs: 1 };
  return { step, epoch: Math.floor((step - 1) / STEPS), cursor, samples, ...values, ...changes };
}

/** A ledger and what a store holds of it, as changes arrive there. */
class Book {
  ledger: Ledger;
  summary: LedgerSummary | null = null;
  readonly epochs = new Map<number, LedgerEpoch>();

  constructor(readonly plan = PLAN) {
    this.ledger = new Ledger(plan, null);
  }

  begin(attempt: number, generation: number, step: number): this {
    this.ledger.begin({ jobId: 'j', attempt, generation }, step);
    return this.store();
  }

  commit(attempt: number, generation: number, from: number, to = from): this {
    for (let step = from; step <= to; step += 1) {
      this.ledger.commit({ jobId: 'j', attempt, generation }, metricsOf(step));
      this.store();
    }
    return this;
  }

  /** As after a restart of the coordinator. */
  reopen(): this {
    this.ledger = new Ledger(this.plan, this.stored);
    return this;
  }

  get stored(): StoredLedger | null {
    if (this.summary === null) return null;
    return { summary: this.summary, epochs: [...this.epochs.values()] };
  }

  get view() {
    return ledgerView('j', this.stored);
  }

  private store(): this {
    const { summary, epochs }: LedgerChange = this.ledger.takeChange();
    this.summary = summary;
    for (const [epoch, entry] of epochs) {
      if (entry === null) this.epochs.delete(epoch);
      else this.epochs.set(epoch, entry);
    }
    return this;
  }
}

const range = (
  attempt: number,
  generation: number,
  steps: readonly [number, number],
  cursors: readonly [number, number],
) => ({
  attempt,
  generation,
  fromStep: steps[0],
  toStep: steps[1],
  fromCursor: cursors[0],
  toCursor: cursors[1],
  evidence: 'reported' as const,
  isSuperseded: false,
});

describe('the ledger', () => {
  it('is one range for each generation and epoch', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1, 4);
    expect(book.view).toMatchObject({
      isExact: true,
      epochs: [
        { epoch: 0, verdict: 'exact', samples: 23, ranges: [range(1, 1, [1, 3], [0, 23])] },
        { epoch: 1, verdict: 'open', samples: 10, ranges: [range(1, 1, [4, 4], [0, 10])] },
      ],
    });
    expect(book.ledger.takeFindings()).toEqual([]);
  });

  it('marks steps that were lost and taken again, and counts them once', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1, 2).begin(1, 2, 1).commit(1, 2, 2, 3);
    expect(book.view.epochs).toMatchObject([
      {
        verdict: 'exact',
        samples: 23,
        ranges: [
          range(1, 1, [1, 1], [0, 10]),
          { ...range(1, 1, [2, 2], [10, 20]), isSuperseded: true },
          range(1, 2, [2, 3], [10, 23]),
        ],
      },
    ]);
    expect(book.summary?.numRedone).toBe(1);
  });

  it('takes steps that nobody reported from the state that contains them', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1).begin(2, 1, 5).commit(2, 1, 6);
    expect(book.view.epochs).toMatchObject([
      {
        verdict: 'exact',
        ranges: [
          range(1, 1, [1, 1], [0, 10]),
          { ...range(2, 1, [2, 3], [10, 23]), evidence: 'held' },
        ],
      },
      {
        verdict: 'exact',
        ranges: [
          { ...range(2, 1, [4, 5], [0, 20]), evidence: 'held' },
          range(2, 1, [6, 6], [20, 23]),
        ],
      },
    ]);
  });

  it('opens epochs again that a loss reaches back into', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1, 5).begin(1, 2, 2);
    expect(book.view.epochs.map(({ verdict, samples }) => [verdict, samples])).toEqual([
      ['open', 20],
      ['open', 0],
    ]);
    book.commit(1, 2, 3, 6);
    expect(book.view.epochs.map(({ verdict, samples }) => [verdict, samples])).toEqual([
      ['exact', 23],
      ['exact', 23],
    ]);
    expect(book.summary?.numRedone).toBe(3);
  });

  it('goes on from what is stored', () => {
    const whole = new Book().begin(1, 1, 0).commit(1, 1, 1, 4).begin(2, 1, 3).commit(2, 1, 4, 6);
    const parts = new Book().begin(1, 1, 0).commit(1, 1, 1, 2).reopen().commit(1, 1, 3, 4);
    parts.reopen().begin(2, 1, 3).reopen().commit(2, 1, 4, 6);
    expect(parts.stored).toEqual(whole.stored);
    expect(parts.view.isExact).toBe(true);
  });

  it.each([
    ['skipped', [1, 3], 'samples 10 to 19 are in no committed step'],
    ['used twice', [1, 2, 2, 3], 'samples 10 to 19 were used before and again in steps 2 to 3'],
    ['missing from the first on', [2, 3], 'samples 0 to 9 are in no committed step'],
  ])('finds samples that are %s when the epoch ends', (_, steps, problem) => {
    const book = new Book().begin(1, 1, 0);
    for (const step of steps) book.commit(1, 1, step);
    expect(book.ledger.takeFindings()).toEqual([{ epoch: 0, problems: [problem] }]);
    expect(book.ledger.takeFindings()).toEqual([]);
    expect(book.view).toMatchObject({
      isExact: false,
      epochs: [{ verdict: 'violated', problems: [problem] }],
    });
  });

  it('finds an epoch that was left before its end, and one that was left out', () => {
    const left = new Book().begin(1, 1, 0).commit(1, 1, 1, 2).commit(1, 1, 4);
    expect(left.ledger.takeFindings()).toMatchObject([{ epoch: 0 }]);
    const out = new Book().begin(1, 1, 0).commit(1, 1, 1, 3).commit(1, 1, 7, 9);
    expect(out.ledger.takeFindings()).toEqual([
      { epoch: 2, problems: ['no step of epoch 1 is committed'] },
    ]);
  });

  it('finds samples behind the end of the epoch', () => {
    const { ledger } = new Book();
    const fence = { jobId: 'j', attempt: 1, generation: 1 };
    ledger.commit(fence, metricsOf(1, { cursor: 24, samples: 24 }));
    expect(ledger.takeFindings()).toEqual([
      { epoch: 0, problems: ['step 1 ended at sample 24, expected at most 23'] },
    ]);
  });

  it('shows a gap of the epoch under way before it ends', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 2);
    expect(book.view).toMatchObject({ isExact: false, epochs: [{ verdict: 'violated' }] });
    expect(book.ledger.takeFindings()).toEqual([]);
  });

  it('lists the newest epochs only, and knows of violated ones that it no longer lists', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1).commit(1, 1, 3);
    const numEpochs = MAX_ENDED_EPOCHS + 10;
    book.commit(1, 1, 4, numEpochs * STEPS);
    expect(book.epochs.size).toBe(MAX_ENDED_EPOCHS);
    expect(book.summary).toMatchObject({ numFolded: 10, numFoldedViolated: 1 });
    expect(book.view.isExact).toBe(false);
  });

  it('goes back into an epoch that it no longer lists', () => {
    const book = new Book().begin(1, 1, 0).commit(1, 1, 1, (MAX_ENDED_EPOCHS + 10) * STEPS);
    book.begin(2, 1, 5).commit(2, 1, 6, 9);
    expect(book.summary).toMatchObject({
      numFolded: 1,
      numRedone: (MAX_ENDED_EPOCHS + 10) * 3 - 5,
    });
    expect(book.view.isExact).toBe(true);
    expect(book.view.epochs[0]).toMatchObject({ epoch: 1, verdict: 'exact', samples: 23 });
  });

  it('stays short however often the members change', () => {
    const plan = { numSamples: 10_000, batchSize: 1 };
    const ledger = new Ledger(plan, null);
    for (let step = 1; step < 10_000; step += 1) {
      const fence = { jobId: 'j', attempt: 1, generation: step };
      // Every second generation loses a step.
      const first = step % 2 === 0 ? Math.max(0, step - 2) : step - 1;
      ledger.begin(fence, first);
      for (let at = first + 1; at <= step; at += 1) {
        ledger.commit(fence, metricsOf(1, { step: at, epoch: 0, cursor: at, samples: 1 }));
      }
    }
    const epoch = ledger.takeChange().epochs.get(0);
    expect(epoch?.ranges.length).toBeLessThanOrEqual(MAX_RANGES);
    expect(epoch?.numDropped).toBeGreaterThan(0);
    ledger.commit(
      { jobId: 'j', attempt: 1, generation: 9_999 },
      metricsOf(1, { step: 10_000, cursor: 10_000, samples: 1 }),
    );
    expect(ledger.takeChange().epochs.get(0)).toMatchObject({ verdict: 'exact' });
  });
});
