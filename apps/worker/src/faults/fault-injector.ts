import type { ArmedFault, Fence, FaultPhase } from '@skipring/protocol';
import type { Phase } from '@skipring/trainer';
import { ArmedFaults, type Strike } from './armed-faults.js';
import { freezeProcess, killProcess } from './end-process.js';

/** How a strike is brought about; of tests alone another way than the real one. */
export interface FaultPorts {
  /** Resolves when the coordinator has been told, as far as this process can see to that. */
  announce(id: string, fence: Fence): Promise<void>;
  /** The I/O thread strikes in the next all-reduce. */
  strikeRing(strike: Strike, fence: Fence): void;
}

/** Brings about the faults of the compute thread, and hands those of the ring to the I/O thread. */
export class FaultInjector {
  private faults = new ArmedFaults();
  /** Whose attempt `faults` are for; faults end with it. */
  private attempt: Pick<Fence, 'jobId' | 'attempt'> | null = null;

  constructor(private readonly ports: FaultPorts) {}

  replace(faults: readonly ArmedFault[], fence: Fence): void {
    this.enter(fence);
    this.faults.replace(faults);
  }

  /** A rank comes to a phase of its step. */
  async reach(phase: Phase, step: number, fence: Fence): Promise<void> {
    this.enter(fence);
    if (phase === 'reduce') {
      const strike = this.faults.takeForRing(step);
      if (strike !== null) this.ports.strikeRing(strike, fence);
      return;
    }
    await this.strike(phase, step, fence);
  }

  private enter({ jobId, attempt }: Fence): void {
    if (this.attempt?.jobId === jobId && this.attempt.attempt === attempt) return;
    this.attempt = { jobId, attempt };
    this.faults = new ArmedFaults();
  }

  private async strike(phase: FaultPhase, step: number, fence: Fence): Promise<void> {
    const strike = this.faults.take(phase, step);
    if (strike === null) return;
    if (strike.isFirst) await this.ports.announce(strike.id, fence);
    const { fault } = strike;
    switch (fault.kind) {
      case 'kill':
        killProcess();
        return;
      case 'freeze':
        freezeProcess(fault.durationMs);
        return;
      case 'hang':
        hangThread(fault.durationMs);
        return;
      case 'delaySegments':
      case 'dropSegments':
      case 'corruptFrame':
        return;
    }
  }
}

/** This thread does nothing, not even turn its event loop: as in a native call that hangs. */
function hangThread(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
