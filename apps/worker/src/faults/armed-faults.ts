import { ringPhases, type ArmedFault, type RingPhase, type WorkerFault } from '@skipring/protocol';

export type RingFault = Extract<WorkerFault, { phase: RingPhase }>;

/** A fault that strikes now. */
export interface Strike {
  readonly id: string;
  readonly fault: WorkerFault;
  /** False when it struck before: one that comes several times. */
  readonly isFirst: boolean;
}

interface Armed extends ArmedFault {
  numLeft: number;
  /** It strikes once in a step. */
  lastStep: number;
}

/** The faults that this worker was told of, and when each is due. */
export class ArmedFaults {
  private waiting = new Map<string, ArmedFault>();
  /** Those that have struck and will again. */
  private readonly recurring: Armed[] = [];

  /** Replaces what has not struck yet. */
  replace(faults: readonly ArmedFault[]): void {
    this.waiting = new Map(faults.map((armed) => [armed.id, armed]));
  }

  /** The fault that is due at this phase of a step, if any; to be called in every phase. */
  take(phase: WorkerFault['phase'], step: number): Strike | null {
    for (const { id, fault } of this.waiting.values()) {
      if (fault.phase !== phase || step < fault.step) continue;
      this.waiting.delete(id);
      if (fault.kind === 'hang' && fault.count > 1) {
        this.recurring.push({ id, fault, numLeft: fault.count - 1, lastStep: step });
      }
      return { id, fault, isFirst: true };
    }
    return this.takeRecurring(phase, step);
  }

  /** Whether a half of the ring is struck in this step: which fault, for the thread that runs it. */
  takeForRing(step: number): Strike | null {
    for (const phase of ringPhases) {
      const strike = this.take(phase, step);
      if (strike !== null) return strike;
    }
    return null;
  }

  private takeRecurring(phase: WorkerFault['phase'], step: number): Strike | null {
    const index = this.recurring.findIndex(
      ({ fault, lastStep }) => fault.phase === phase && step > lastStep,
    );
    const armed = this.recurring[index];
    if (armed === undefined) return null;
    armed.lastStep = step;
    armed.numLeft -= 1;
    if (armed.numLeft === 0) this.recurring.splice(index, 1);
    return { id: armed.id, fault: armed.fault, isFirst: false };
  }
}
