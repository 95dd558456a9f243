import type { StepParts } from '@skipring/protocol';
import type { Clock } from './ports.js';

/** Attributes wall time to the parts of a step; a repeated part adds up. */
export class Stopwatch {
  private readonly start: number;
  private readonly spent: StepParts = {
    dataWaitMs: 0,
    computeMs: 0,
    ringMs: 0,
    commitMs: 0,
    applyMs: 0,
  };

  constructor(private readonly clock: Clock) {
    this.start = clock.now();
  }

  /** Runs `work` on the account of `part`. */
  async time<T>(part: keyof StepParts, work: () => T | Promise<T>): Promise<T> {
    const begun = this.clock.now();
    try {
      return await work();
    } finally {
      this.spent[part] += this.clock.now() - begun;
    }
  }

  get parts(): StepParts {
    return { ...this.spent };
  }

  get elapsedMs(): number {
    return this.clock.now() - this.start;
  }
}
