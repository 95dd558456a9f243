import type {
  Fence,
  LedgerEpoch,
  LedgerRange,
  LedgerSummary,
  StepMetrics,
  StoredLedger,
} from '@skipring/protocol';
import { audit } from './audit.js';
import { append, supersedeAfter } from './ranges.js';

/** Ended epochs listed in full; older ones are counted only. */
export const MAX_ENDED_EPOCHS = 64;

/** How a job's steps lie in its epochs. */
export type LedgerPlan = Pick<LedgerSummary, 'numSamples' | 'batchSize'>;

/** An epoch that was found violated. */
export interface LedgerFinding {
  readonly epoch: number;
  readonly problems: readonly string[];
}

/** What has changed since it was last asked for; an epoch is null when it is no longer listed. */
export interface LedgerChange {
  readonly summary: LedgerSummary;
  readonly epochs: ReadonlyMap<number, LedgerEpoch | null>;
}

/**
 * Which samples of each epoch went into which committed step of a job, over all its attempts. A step
 * is a run of places in the epoch's permutation, so whole generations fold into one range.
 */
export class Ledger {
  private readonly summary: LedgerSummary;
  private readonly epochs = new Map<number, LedgerEpoch>();
  private readonly changed = new Set<number>();
  private readonly findings: LedgerFinding[] = [];
  /** Committed steps that count. */
  private lastStep = 0;

  /** @param stored by an earlier attempt; null: the job's first */
  constructor(plan: LedgerPlan, stored: StoredLedger | null) {
    const { numSamples, batchSize } = plan;
    const none = { numFolded: 0, numFoldedViolated: 0, numRedone: 0 };
    this.summary = { ...none, ...stored?.summary, numSamples, batchSize };
    for (const epoch of stored?.epochs ?? []) this.epochs.set(epoch.epoch, structuredClone(epoch));
    this.lastStep = Math.max(
      this.summary.numFolded * this.stepsPerEpoch,
      ...[...this.epochs.values()].flatMap(({ ranges }) =>
        ranges.flatMap(({ isSuperseded, toStep }) => (isSuperseded ? [] : [toStep])),
      ),
    );
  }

  /**
   * A generation begins from a state with so many committed steps. Steps beyond it are lost and will
   * be taken again; steps that nobody reported are in it all the same.
   */
  begin(fence: Fence, step: number): void {
    if (step < this.lastStep) this.rewind(fence, step);
    else this.hold(fence, this.lastStep + 1, step);
    this.lastStep = step;
  }

  /** A step is committed, as rank 0 has reported it. True when its epoch ended with it. */
  commit({ attempt, generation }: Fence, metrics: StepMetrics): boolean {
    const { step, epoch, cursor, samples } = metrics;
    append(this.touch(epoch), {
      attempt,
      generation,
      fromStep: step,
      toStep: step,
      fromCursor: Math.max(0, cursor - samples),
      toCursor: cursor,
      evidence: 'reported',
      isSuperseded: false,
    });
    this.lastStep = step;
    const hasEnded = cursor >= this.summary.numSamples;
    this.close(hasEnded ? epoch + 1 : epoch);
    return hasEnded;
  }

  /** Epochs found violated since the last call. */
  takeFindings(): LedgerFinding[] {
    return this.findings.splice(0);
  }

  takeChange(): LedgerChange {
    const epochs = new Map(
      [...this.changed].map((epoch) => [epoch, structuredClone(this.epochs.get(epoch) ?? null)]),
    );
    this.changed.clear();
    return { summary: { ...this.summary }, epochs };
  }

  private get stepsPerEpoch(): number {
    return Math.ceil(this.summary.numSamples / this.summary.batchSize);
  }

  /** Epoch of a step, counted from 1, and where in it the step begins and ends. */
  private placeOf(step: number): { epoch: number; from: number; to: number } {
    const { numSamples, batchSize } = this.summary;
    const inEpoch = (step - 1) % this.stepsPerEpoch;
    return {
      epoch: Math.floor((step - 1) / this.stepsPerEpoch),
      from: inEpoch * batchSize,
      to: Math.min(numSamples, (inEpoch + 1) * batchSize),
    };
  }

  private touch(epoch: number): LedgerEpoch {
    const known = this.epochs.get(epoch);
    const entry = known ?? { epoch, verdict: 'open', problems: [], ranges: [], numDropped: 0 };
    this.epochs.set(epoch, entry);
    this.changed.add(epoch);
    return entry;
  }

  private rewind(fence: Fence, step: number): void {
    const numKept = Math.floor(step / this.stepsPerEpoch);
    const cursorAfter = step === 0 ? 0 : this.placeOf(step).to;
    if (numKept < this.summary.numFolded) {
      // Its ranges are no longer known: the state says what is left of it.
      this.summary.numRedone += (this.summary.numFolded - numKept) * this.stepsPerEpoch;
      this.summary.numRedone -= step % this.stepsPerEpoch;
      this.summary.numFolded = numKept;
      this.summary.numFoldedViolated = Math.min(this.summary.numFoldedViolated, numKept);
      this.hold(fence, numKept * this.stepsPerEpoch + 1, step);
    }
    for (const { epoch } of this.epochs.values()) {
      if (epoch < numKept) continue;
      const entry = this.touch(epoch);
      entry.verdict = 'open';
      entry.problems = [];
      this.summary.numRedone += supersedeAfter(entry, step, cursorAfter);
    }
  }

  private hold({ attempt, generation }: Fence, fromStep: number, toStep: number): void {
    for (let step = fromStep; step <= toStep;) {
      const first = this.placeOf(step);
      const last = Math.min(toStep, (first.epoch + 1) * this.stepsPerEpoch);
      const range: LedgerRange = {
        attempt,
        generation,
        fromStep: step,
        toStep: last,
        fromCursor: first.from,
        toCursor: this.placeOf(last).to,
        evidence: 'held',
        isSuperseded: false,
      };
      append(this.touch(first.epoch), range);
      step = last + 1;
    }
    this.close(Math.floor(toStep / this.stepsPerEpoch));
  }

  /** Gives a verdict on the open epochs before `end`, and folds what is old. */
  private close(end: number): void {
    for (const { epoch, verdict } of this.epochs.values()) {
      if (epoch >= end || verdict !== 'open') continue;
      const entry = this.touch(epoch);
      entry.problems = audit(entry.ranges, this.summary.numSamples);
      if (epoch > this.summary.numFolded && !this.epochs.has(epoch - 1)) {
        entry.problems.unshift(`no step of epoch ${epoch - 1} is committed`);
      }
      entry.verdict = entry.problems.length === 0 ? 'exact' : 'violated';
      if (entry.verdict === 'violated') this.findings.push({ epoch, problems: entry.problems });
    }
    const old = [...this.epochs.values()].filter(({ epoch }) => epoch < end - MAX_ENDED_EPOCHS);
    for (const entry of old.sort((a, b) => a.epoch - b.epoch)) this.fold(entry);
  }

  private fold({ epoch, verdict }: LedgerEpoch): void {
    const { summary } = this;
    // An epoch without an entry has no committed step.
    summary.numFoldedViolated += epoch - summary.numFolded + (verdict === 'violated' ? 1 : 0);
    summary.numFolded = epoch + 1;
    this.epochs.delete(epoch);
    this.changed.add(epoch);
  }
}
