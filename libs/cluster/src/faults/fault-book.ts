import type { ArmedFault, Fence, FaultRequest, FaultView } from '@skipring/protocol';

/** Faults that are remembered; the oldest that are over are forgotten first. */
export const MAX_FAULTS = 256;

interface Entry {
  view: FaultView;
  /** Set when it has fired, until it is known what came of it. */
  aftermath: Aftermath | null;
  /** Checkpoints that are still to find no space. */
  numLeft: number;
}

interface Aftermath {
  readonly fence: Fence;
  readonly firedMs: number;
  /** Members that have not left the generation yet. */
  readonly inside: Set<string>;
}

/**
 * The faults that users armed, and what became of them. Pure: whoever owns it tells it what happens
 * and carries messages. It forgets all with the coordinator.
 */
export class FaultBook {
  private readonly entries = new Map<string, Entry>();
  private numArmed = 0;

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number) {}

  /** Null when MAX_FAULTS are armed already. */
  arm({ jobId, fault }: FaultRequest): FaultView | null {
    if (!this.makeRoom()) return null;
    this.numArmed += 1;
    const view: FaultView = {
      id: `fault-${this.numArmed}`,
      jobId,
      fault,
      state: 'armed',
      workerId: null,
      createdAt: iso(this.now()),
      firedAt: null,
      abortMs: null,
      recoverMs: null,
    };
    this.entries.set(view.id, { view, aftermath: null, numLeft: 0 });
    return view;
  }

  /** In the order in which they were armed. */
  list(): FaultView[] {
    return [...this.entries.values()].map(({ view }) => view);
  }

  get(id: string): FaultView | null {
    return this.entries.get(id)?.view ?? null;
  }

  /** Disarms a fault; null unless it is armed. */
  cancel(id: string): FaultView | null {
    const entry = this.entries.get(id);
    if (entry?.view.state !== 'armed') return null;
    entry.view = { ...entry.view, state: 'cancelled' };
    return entry.view;
  }

  /** What the worker at this rank of a job is to bring about. */
  forRank(jobId: string, rank: number): ArmedFault[] {
    return this.armed(jobId).flatMap(({ view: { id, fault } }) =>
      fault.kind !== 'fillDisk' && fault.rank === rank ? [{ id, fault }] : [],
    );
  }

  /**
   * A worker says that a fault strikes it. Null unless it is armed.
   * @param members of the generation, by rank
   */
  fired(id: string, fence: Fence, workerId: string, members: readonly string[]): FaultView | null {
    const entry = this.entries.get(id);
    if (entry?.view.state !== 'armed' || entry.view.jobId !== fence.jobId) return null;
    const firedMs = this.now();
    entry.view = { ...entry.view, state: 'fired', workerId, firedAt: iso(firedMs) };
    const inside = new Set(members.filter((member) => member !== workerId));
    entry.aftermath = { fence, firedMs, inside };
    return entry.view;
  }

  /** A worker has left every generation before this one, or this one too if it has `aborted` it. */
  left(workerId: string, fence: Fence, aborted: boolean): void {
    for (const { entry, aftermath } of this.open(fence.jobId)) {
      const { fence: struck, firedMs, inside } = aftermath;
      const distance = compare(fence, struck);
      if (distance < 0 || (distance === 0 && !aborted)) continue;
      if (!inside.delete(workerId) || inside.size > 0) continue;
      entry.view = { ...entry.view, abortMs: Math.max(0, this.now() - firedMs) };
    }
  }

  /** A step was committed in this generation. */
  committed(fence: Fence): void {
    for (const { entry, aftermath } of this.open(fence.jobId)) {
      const { fence: struck, firedMs } = aftermath;
      if (compare(fence, struck) <= 0) continue;
      entry.view = { ...entry.view, recoverMs: Math.max(0, this.now() - firedMs) };
      entry.aftermath = null;
    }
  }

  /** The job's attempt has ended: what has not struck never will. */
  ended(jobId: string): void {
    for (const { entry } of this.open(jobId)) entry.aftermath = null;
    for (const entry of this.armed(jobId)) entry.view = { ...entry.view, state: 'expired' };
  }

  /** The fault by which a checkpoint of this step finds no space; null: there is space. */
  strikeDisk(jobId: string, step: number): FaultView | null {
    for (const entry of this.entries.values()) {
      const { fault, state } = entry.view;
      if (entry.view.jobId !== jobId || fault.kind !== 'fillDisk' || step < fault.step) continue;
      if (state === 'armed') entry.numLeft = fault.count;
      if (entry.numLeft === 0 || (state !== 'armed' && state !== 'fired')) continue;
      entry.numLeft -= 1;
      const firedAt = entry.view.firedAt ?? iso(this.now());
      entry.view = { ...entry.view, state: 'fired', firedAt };
      return entry.view;
    }
    return null;
  }

  private armed(jobId: string): Entry[] {
    return [...this.entries.values()].filter(
      ({ view }) => view.jobId === jobId && view.state === 'armed',
    );
  }

  private open(jobId: string): { entry: Entry; aftermath: Aftermath }[] {
    return [...this.entries.values()].flatMap((entry) =>
      entry.aftermath !== null && entry.view.jobId === jobId
        ? [{ entry, aftermath: entry.aftermath }]
        : [],
    );
  }

  private makeRoom(): boolean {
    if (this.entries.size < MAX_FAULTS) return true;
    const over = [...this.entries].find(([, { view }]) => view.state !== 'armed');
    return over !== undefined && this.entries.delete(over[0]);
  }
}

/** Negative when `a` is before `b`. */
function compare(a: Fence, b: Fence): number {
  return a.attempt - b.attempt || a.generation - b.generation;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
