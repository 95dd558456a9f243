import type { WebAssemblyMemory } from '@skipring/collective';
import type { TracesTarget } from '@skipring/tracing';
import type { RingTls } from '@skipring/transport-ws';
import type { CoordinatorMessage, Fence, Member, WorkerMessage } from '@skipring/protocol';
import type { Strike } from './faults/armed-faults.js';

/** A failure on its way between threads: class instances do not survive a structured clone. */
export interface ThreadError {
  readonly code: string;
  readonly message: string;
}

/** A `SharedMemory`'s memory, whose kernels work in place. Every message makes another object of it. */
export interface NumberedMemory {
  /** The same for the same memory. */
  readonly id: number;
  readonly memory: WebAssemblyMemory;
}

/** One collective over shared memory; the I/O thread works in place. */
export interface CollectiveCall {
  readonly operation: 'allReduce' | 'broadcast';
  readonly element: 'int32' | 'float32' | 'uint8';
  readonly buffer: SharedArrayBuffer | NumberedMemory;
  readonly byteOffset: number;
  /** Number of elements. */
  readonly length: number;
  /** Rank that has the bytes; for `broadcast` alone. */
  readonly root: number;
  /** Float32 elements cross the ring as bfloat16; for `allReduce` alone. */
  readonly isBfloat16: boolean;
  readonly deadlineMs: number;
}

/** What this rank has done in its current ring. */
export interface RingTraffic {
  readonly bytesSent: number;
  /** Milliseconds in which a collective was under way. */
  readonly busyMs: number;
}

/** What the compute thread asks the I/O thread and waits for. */
export type IoRequest =
  | {
      readonly kind: 'connectRing';
      readonly fence: Fence;
      readonly rank: number;
      readonly members: readonly Member[];
      readonly ringToken: string;
      readonly deadlineMs: number;
    }
  | { readonly kind: 'collective'; readonly call: CollectiveCall }
  | { readonly kind: 'closeRing' }
  /** A message that must be with the operating system before the reply. */
  | { readonly kind: 'announce'; readonly message: WorkerMessage };

export type ComputeToIo =
  | { readonly kind: 'request'; readonly id: number; readonly request: IoRequest }
  | { readonly kind: 'send'; readonly message: WorkerMessage }
  | { readonly kind: 'strikeRing'; readonly strike: Strike; readonly fence: Fence }
  | { readonly kind: 'close' };

export type IoToCompute =
  | {
      readonly kind: 'reply';
      readonly id: number;
      readonly error: ThreadError | null;
      readonly traffic: RingTraffic;
    }
  | { readonly kind: 'message'; readonly message: CoordinatorMessage }
  | { readonly kind: 'gatewayClosed' }
  | { readonly kind: 'fatal'; readonly error: ThreadError }
  | { readonly kind: 'started'; readonly metricsPort: number; readonly ringPort: number };

/** What the I/O thread is started with. */
export interface IoThreadData {
  readonly coordinatorUrl: string;
  readonly joinToken: string | null;
  readonly workerId: string;
  readonly advertisedHost: string;
  readonly hostLabel: string;
  /** Null: the ring does not speak TLS. */
  readonly ringTls: RingTls | null;
  readonly ringLocalSockets: boolean;
  readonly ringSharedMemory: boolean;
  readonly ringPort: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly threads: number;
  readonly tf32: boolean;
  readonly device: {
    readonly kind: 'cpu' | 'gpu';
    readonly name: string;
    readonly memoryBytes: number;
  };
  readonly visibleDevices: string | null;
  readonly logLevel: string;
  readonly tracing: TracesTarget | null;
  readonly takesFaults: boolean;
  /** Memory of the compute thread's `Pulse`. */
  readonly pulse: SharedArrayBuffer;
}
