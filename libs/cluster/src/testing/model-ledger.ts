import type { Fence, StepMetrics, StoredLedger } from '@skipring/protocol';
import { reach } from '../ledger/audit.js';
import { Ledger } from '../ledger/ledger.js';
import { check } from './model-parts.js';

/** The ledger of a model's job, of one epoch with a sample in each step; stored at every change. */
export class ModelLedger {
  private readonly ledger: Ledger;

  constructor(
    private readonly numSteps: number,
    private stored: StoredLedger | null = null,
  ) {
    this.ledger = new Ledger({ numSamples: numSteps, batchSize: 1 }, stored);
  }

  /** As a restarted coordinator finds it. */
  reopened(): ModelLedger {
    return new ModelLedger(this.numSteps, this.stored);
  }

  begin(fence: Fence, step: number): void {
    this.ledger.begin(fence, step);
    this.keep();
  }

  commit(fence: Fence, metrics: StepMetrics): void {
    this.ledger.commit(fence, metrics);
    this.keep();
  }

  reached(): unknown {
    return reach(this.stored?.epochs[0]?.ranges ?? []);
  }

  checkEnd(): void {
    const [epoch] = this.stored?.epochs ?? [];
    check(epoch?.verdict === 'exact', `the ledger is ${JSON.stringify(epoch)}`);
  }

  private keep(): void {
    const findings = this.ledger.takeFindings();
    check(findings.length === 0, `the ledger finds ${JSON.stringify(findings)}`);
    const { summary, epochs } = this.ledger.takeChange();
    const stored = new Map(this.stored?.epochs.map((entry) => [entry.epoch, entry]));
    for (const [epoch, entry] of epochs) if (entry !== null) stored.set(epoch, entry);
    this.stored = { summary, epochs: [...stored.values()] };
  }
}
