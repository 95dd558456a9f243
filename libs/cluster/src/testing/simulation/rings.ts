import { fenceKey } from './fence-key.js';
import type { Random } from './random.js';
import type { SimulatedWorker } from './simulated-worker.js';

export interface RingFaults {
  /** A ring breaks between the vote and the commits: some of its ranks commit the step, others not. */
  readonly halfCommit: number;
  /** A rank commits a step that others had no part in: the rule broken, to see that it is found. */
  readonly commitsAlone: boolean;
}

/** Moves the rings on: the steps of all generations, of which the coordinator sees reports alone. */
export class Rings {
  constructor(
    private readonly workers: ReadonlyMap<string, SimulatedWorker>,
    private readonly random: Random,
    private readonly faults: RingFaults,
  ) {}

  /** A ring commits only when all of its members are in it; it breaks when one is gone. */
  advance(): void {
    for (const worker of this.workers.values()) {
      const { membership } = worker;
      if (membership?.prepare.rank !== 0) continue;
      const { fence, members } = membership.prepare;
      const key = fenceKey(fence);
      const ring = members.map(({ workerId }) => this.workers.get(workerId));
      const present = ring.filter((member) => member?.isIn(key) === true) as SimulatedWorker[];
      if (present.length < ring.length) {
        const isLost = ring.some((member) => member?.connected !== true);
        if (isLost || this.random.chance(0.3)) this.break(present);
        if (this.faults.commitsAlone && worker.isIn(key) && worker.hasStarted) worker.advance();
      } else if (!present.some((member) => member.frozen || !member.hasStarted)) {
        for (const member of present) member.receiveState();
        this.step(present);
      }
    }
  }

  private step(ring: readonly SimulatedWorker[]): void {
    if (ring.length === 1 || !this.random.chance(this.faults.halfCommit)) {
      for (const member of ring) member.advance();
      return;
    }
    for (const member of ring) if (this.random.chance(0.5)) member.advance();
    this.break(ring);
  }

  private break(present: readonly SimulatedWorker[]): void {
    for (const member of present) {
      if (member.frozen || !member.hasStarted) continue;
      if (member.membership?.finished === false) member.abort();
    }
  }
}
