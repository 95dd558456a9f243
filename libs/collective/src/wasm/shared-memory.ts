import { CollectiveError } from '../collective-error.js';
import { kernelModule } from './kernel-module.js';
import { webAssembly, type WebAssemblyMemory } from './web-assembly.js';

/**
 * Combines `numBytes` at `addend` into those at `target`, and continues the two digests at `digests`,
 * of the addend and of the new target; addresses in the memory.
 */
type Combine = (target: number, addend: number, numBytes: number, digests: number) => void;

/** Converts between `count` float32 and bfloat16; see `bfloat16Functions`. */
type Convert = (
  floats: number,
  packed: number,
  count: number,
  seed: number,
  addend: number,
) => void;

export interface Kernels {
  readonly sumFloat32: Combine;
  readonly maxFloat32: Combine;
  readonly sumInt32: Combine;
  readonly maxInt32: Combine;
  readonly sumInt64: Combine;
  readonly maxInt64: Combine;
  readonly packNearest: Convert;
  readonly packStochastic: Convert;
  readonly narrowNearest: Convert;
  readonly narrowStochastic: Convert;
  readonly reduceSumNearest: Convert;
  readonly reduceSumStochastic: Convert;
  readonly reduceMaxNearest: Convert;
  readonly reduceMaxStochastic: Convert;
  readonly finishSumNearest: Convert;
  readonly finishSumStochastic: Convert;
  readonly finishMaxNearest: Convert;
  readonly finishMaxStochastic: Convert;
  readonly widen: Convert;
  readonly unpackSet: Convert;
  readonly unpackSum: Convert;
  readonly unpackMax: Convert;
  /** An i32. */
  readonly digest: (begin: number, numBytes: number, seed: number) => number;
}

/** Work is done in blocks of so many bytes, so that copies stay in the processor's cache. */
export const BLOCK_BYTES = 64 * 1024;
/** Two blocks that a call may use while it runs. */
export const WORK_A = 0;
export const WORK_B = BLOCK_BYTES;
/** Two unsigned 32-bit digests. */
export const WORK_DIGESTS = 2 * BLOCK_BYTES;
const WORK_BYTES = 2 * BLOCK_BYTES + 64;
/** Room for the payload of one segment. */
export const STAGING_BYTES = 1024 * 1024;
/** To receive into, one for each collective at a time; and for payloads that wait to be sent. */
const NUM_STAGINGS = { receive: 2, send: 4 };
const DATA_OFFSET = WORK_BYTES + (NUM_STAGINGS.receive + NUM_STAGINGS.send) * STAGING_BYTES;
const PAGE_BYTES = 64 * 1024;
/** 65,536 pages, less the last one: so an address and a length always fit 32 bits. */
const MAX_BYTES = 2 ** 32 - PAGE_BYTES - DATA_OFFSET;

let compiled: object | null = null;
const known = new WeakMap<object, SharedMemory>();
let common: SharedMemory | null = null;

/**
 * Memory that vectorised kernels can work on in place. Vectors that lie in one are summed and
 * checked without a copy; others go through a small one block by block.
 */
export class SharedMemory {
  readonly kernels: Kernels;
  /** What is at WORK_DIGESTS. */
  readonly digests: Uint32Array;
  private readonly free = {
    receive: stagings(0, NUM_STAGINGS.receive),
    send: stagings(NUM_STAGINGS.receive, NUM_STAGINGS.send),
  };

  private constructor(
    /** To be posted to another thread, which calls `of` with it. */
    readonly memory: WebAssemblyMemory,
  ) {
    compiled ??= new webAssembly.Module(kernelModule());
    const instance = new webAssembly.Instance(compiled, { env: { memory } });
    this.kernels = instance.exports as Kernels;
    this.digests = new Uint32Array(memory.buffer, WORK_DIGESTS, 2);
    known.set(memory.buffer, this);
    known.set(memory, this);
  }

  /**
   * A memory with room for `numBytes` of data, all zero.
   * @throws CollectiveError INVALID_ARGUMENT
   */
  static allocate(numBytes: number): SharedMemory {
    if (!Number.isSafeInteger(numBytes) || numBytes < 0 || numBytes > MAX_BYTES) {
      throw new CollectiveError(
        'INVALID_ARGUMENT',
        `numBytes is ${numBytes}, expected an integer from 0 to ${MAX_BYTES}`,
      );
    }
    const pages = Math.ceil((DATA_OFFSET + numBytes) / PAGE_BYTES);
    return new SharedMemory(
      new webAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
    );
  }

  /** The memory that another thread allocated and posted here. */
  static of(memory: WebAssemblyMemory): SharedMemory {
    return known.get(memory) ?? new SharedMemory(memory);
  }

  /** The memory, known to this thread, that `buffer` belongs to. */
  static holding(buffer: ArrayBufferLike): SharedMemory | null {
    return known.get(buffer) ?? null;
  }

  /** A small one of this thread, for bytes that lie elsewhere. */
  static common(): SharedMemory {
    return (common ??= SharedMemory.allocate(0));
  }

  get buffer(): SharedArrayBuffer {
    return this.memory.buffer;
  }

  /** Where the data begins in `buffer`; a multiple of 64. */
  get dataOffset(): number {
    return DATA_OFFSET;
  }

  /** STAGING_BYTES until `giveBack`; null if all are lent. */
  lendStaging(purpose: keyof typeof NUM_STAGINGS): Uint8Array | null {
    const offset = this.free[purpose].pop();
    return offset === undefined ? null : new Uint8Array(this.buffer, offset, STAGING_BYTES);
  }

  giveBack(purpose: keyof typeof NUM_STAGINGS, staging: Uint8Array): void {
    this.free[purpose].push(staging.byteOffset);
  }
}

/** Offsets of some stagings, one behind the other. */
function stagings(first: number, length: number): number[] {
  return Array.from({ length }, (_, index) => WORK_BYTES + (first + index) * STAGING_BYTES);
}
