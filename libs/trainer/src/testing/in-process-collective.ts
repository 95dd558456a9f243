import type { Collective } from '../ports.js';

/** What a fault does to one operation: only these ranks still get its result; all others fail. */
export interface Fault {
  readonly deliveredTo: readonly number[];
}

/** Asked once for each operation of a generation, in order from 0. */
export type FaultPlan = (operation: number) => Fault | null;

export class CollectiveError extends Error {
  override readonly name = 'CollectiveError';
  readonly code = 'PEER_LOST';
}

/**
 * Collectives among `worldSize` ranks of one process. An operation completes when all ranks called
 * it, several may be under way at once; a fault, or `abort`, fails it and all later ones, as a broken ring does.
 */
export class InProcessRing {
  readonly collectives: readonly Collective[];
  private error: CollectiveError | null = null;
  /** Operations that each rank has called. */
  private readonly numCalled: number[];
  /** Calls of operations that not all ranks have called, by the operation's number. */
  private readonly waiting = new Map<number, Call[]>();

  constructor(
    private readonly worldSize: number,
    private readonly faults: FaultPlan = () => null,
  ) {
    this.numCalled = Array.from({ length: worldSize }, () => 0);
    this.collectives = Array.from({ length: worldSize }, (_, rank) => new InProcess(this, rank));
  }

  /** Fails the operation in progress and all later ones. */
  abort(message: string): void {
    this.error ??= new CollectiveError(message);
    const calls = [...this.waiting.values()].flat();
    this.waiting.clear();
    for (const { reject } of calls) reject(this.error);
  }

  /** Called by each rank; the last one completes the operation. */
  enter(rank: number, kind: string, data: ArrayBufferView, run: Completion): Promise<void> {
    if (this.error !== null) return Promise.reject(this.error);
    const operation = this.numCalled[rank] ?? 0;
    this.numCalled[rank] = operation + 1;
    return new Promise((resolve, reject) => {
      const calls = this.waiting.get(operation) ?? [];
      this.waiting.set(operation, calls);
      calls.push({ rank, kind: `${kind} of ${data.byteLength} bytes`, resolve, reject, data });
      if (calls.length === this.worldSize) this.complete(operation, calls, run);
    });
  }

  private complete(operation: number, unsorted: readonly Call[], run: Completion): void {
    const calls = [...unsorted].sort((a, b) => a.rank - b.rank);
    const kinds = new Set(calls.map(({ kind }) => kind));
    if (kinds.size > 1) {
      this.abort(`ranks called unlike operations: ${[...kinds].join('; ')}`);
      return;
    }
    const fault = this.faults(operation);
    run(calls.map(({ data }) => data));
    const lost = calls.filter(({ rank }) => fault !== null && !fault.deliveredTo.includes(rank));
    const reached = calls.filter((call) => !lost.includes(call));
    if (lost.length > 0) this.waiting.set(operation, lost);
    else this.waiting.delete(operation);
    if (fault !== null) this.abort('a peer was lost');
    for (const { resolve } of reached) resolve();
  }
}

interface Call {
  readonly rank: number;
  readonly kind: string;
  readonly data: ArrayBufferView;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Carries an operation out on the data of all ranks. */
type Completion = (data: readonly ArrayBufferView[]) => void;

class InProcess implements Collective {
  bytesSent = 0;
  readonly busyMs = 0;

  constructor(
    private readonly ring: InProcessRing,
    readonly rank: number,
  ) {}

  get worldSize(): number {
    return this.ring.collectives.length;
  }

  allReduce(vector: Int32Array | Float32Array): Promise<void> {
    this.bytesSent += vector.byteLength;
    return this.ring.enter(this.rank, 'allReduce', vector, (data) => {
      const vectors = data as (Int32Array | Float32Array)[];
      const sum = vector.slice().fill(0);
      for (const term of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += term[i]!;
      for (const target of vectors) target.set(sum);
    });
  }

  broadcast(bytes: Uint8Array, root: number): Promise<void> {
    this.bytesSent += this.rank === root ? bytes.byteLength : 0;
    return this.ring.enter(this.rank, `broadcast from ${root}`, bytes, (data) => {
      const copies = data as Uint8Array[];
      for (const copy of copies) copy.set(copies[root] ?? copy);
    });
  }
}
