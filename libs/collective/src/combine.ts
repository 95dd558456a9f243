import {
  BLOCK_BYTES,
  SharedMemory,
  WORK_A,
  WORK_B,
  WORK_DIGESTS,
  type Kernels,
} from './wasm/shared-memory.js';

export type CombineKernel = Extract<keyof Kernels, `sum${string}` | `max${string}`>;

/** See `digest`. */
export interface CombineDigests {
  readonly ofAddend: number;
  /** Of the target's bytes as they would be sent now; undefined: not computed. */
  readonly ofTarget: number | undefined;
}

/** Of no bytes. */
export const CLEAN_DIGESTS: CombineDigests = { ofAddend: 0, ofTarget: 0 };

/**
 * target = kernel(target, addend), element by element. In place if both lie in one `SharedMemory`,
 * else what does not is copied block by block.
 *
 * @param before the digests of what comes before both, which is whole blocks
 */
export function combine(
  kernel: CombineKernel,
  target: Uint8Array,
  addend: Uint8Array,
  before: CombineDigests = CLEAN_DIGESTS,
): CombineDigests {
  const home = SharedMemory.holding(target.buffer);
  const memory = home ?? SharedMemory.holding(addend.buffer) ?? SharedMemory.common();
  const isAddendHere = addend.buffer === memory.buffer;
  const { digests } = memory;
  const run = memory.kernels[kernel];
  const workA = new Uint8Array(memory.buffer, WORK_A, BLOCK_BYTES);
  const workB = new Uint8Array(memory.buffer, WORK_B, BLOCK_BYTES);
  digests[0] = before.ofAddend;
  digests[1] = before.ofTarget ?? 0;
  for (let begin = 0; begin < target.byteLength; begin += BLOCK_BYTES) {
    const end = Math.min(target.byteLength, begin + BLOCK_BYTES);
    const part = target.subarray(begin, end);
    if (home === null) workA.set(part);
    if (!isAddendHere) workB.set(addend.subarray(begin, end));
    run(
      home === null ? WORK_A : part.byteOffset,
      isAddendHere ? addend.byteOffset + begin : WORK_B,
      end - begin,
      WORK_DIGESTS,
    );
    if (home === null) part.set(workA.subarray(0, end - begin));
  }
  const [ofAddend = 0, ofTarget = 0] = digests;
  return { ofAddend, ofTarget };
}
