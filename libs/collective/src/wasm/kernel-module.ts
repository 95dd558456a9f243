import { bfloat16Functions } from './bfloat16-kernels.js';
import {
  encodeModule,
  get,
  I32,
  i32,
  I64,
  i64,
  i64x2Lane,
  loadVector,
  set,
  simd,
  storeVector,
  unsigned,
  V128,
  whileLoop,
  type Code,
  type FunctionBody,
} from './encode.js';

/** Odd multiplier that spreads the digest's state over 64 bits (2^64 divided by the golden ratio). */
export const DIGEST_MULTIPLIER = 0x9e3779b97f4a7c15n;

const ADD = 0x6a;
const SUBTRACT = 0x6b;
const AT_LEAST_UNSIGNED = 0x4f;

const advance = (local: number, bytes: number): Code => [get(local), i32(bytes), ADD, set(local)];
const retreat = (local: number, bytes: number): Code => [
  get(local),
  i32(bytes),
  SUBTRACT,
  set(local),
];
const hasBytes = (local: number, bytes: number): Code => [
  get(local),
  i32(bytes),
  AT_LEAST_UNSIGNED,
];

/** Position-weighted sums of one stream of bytes: the digest's state, in locals. */
class DigestState {
  private readonly lanes: readonly number[];

  constructor(
    /** First of 4 vector locals. */
    private readonly first: number,
    /** i64 locals. */
    private readonly sum: number,
    private readonly weighted: number,
    private readonly hash: number,
  ) {
    this.lanes = [0, 1, 2, 3].map((index) => first + index);
  }

  /** Takes 16 bytes, in a vector local. */
  take(word: number): Code {
    const accumulate = (extend: number, plain: number): Code => [
      [get(word), simd(extend), get(plain), simd(I64X2_ADD), set(plain)],
      [get(plain + 1), get(plain), simd(I64X2_ADD), set(plain + 1)],
    ];
    return [accumulate(EXTEND_LOW, this.first), accumulate(EXTEND_HIGH, this.first + 2)];
  }

  /** Takes one byte, at an address in a local. */
  takeByte(address: number): Code {
    const { sum, weighted } = this;
    return [
      // i64.load8_u
      [get(address), 0x31, 0, unsigned(0), get(sum), I64_ADD, set(sum)],
      [get(weighted), get(sum), I64_ADD, set(weighted)],
    ];
  }

  /** Begins with the digest of what came before, an i32, and the length of the block. */
  begin(seed: Code, numBytes: number): Code {
    // i64.extend_i32_u of both.
    return [[seed, 0xad, set(this.hash)], this.mix([get(numBytes), 0xad])];
  }

  /** Leaves the digest, an i32, on the stack. */
  end(): Code {
    return [
      this.lanes.flatMap((local) => [0, 1].map((lane) => this.mix([get(local), i64x2Lane(lane)]))),
      this.mix(get(this.sum)),
      this.mix(get(this.weighted)),
      // i32.wrap_i64
      [get(this.hash), 0xa7],
    ];
  }

  /** hash = (hash xor value) * multiplier; hash ^= hash >>> 32. */
  private mix(value: Code): Code {
    const { hash } = this;
    return [
      [get(hash), value, 0x85, i64(DIGEST_MULTIPLIER), 0x7e, set(hash)],
      [get(hash), get(hash), i64(32n), 0x88, 0x85, set(hash)],
    ];
  }
}

const I64X2_ADD = 206;
const EXTEND_LOW = 201;
const EXTEND_HIGH = 202;
const I64_ADD = 0x7c;

/** Leaves the combination of two vectors on the stack; may evaluate either twice. */
type Operator = (target: Code, addend: Code) => Code;

const instruction =
  (opcode: number): Operator =>
  (target, addend) => [target, addend, simd(opcode)];

/** There is no instruction for it: the target where it is greater, else the addend. */
const maxInt64: Operator = (target, addend) => [
  [target, addend],
  [target, addend, simd(I64X2_GREATER_SIGNED)],
  simd(BIT_SELECT),
];

/**
 * `name(target, addend, numBytes, digests)`: target = operator(target, addend), element by element.
 * At `digests` are two i32, of what came before: they become the digests of all of the addend and of
 * all of the new target. One pass over memory does the work of three.
 */
function combineFunction(name: string, operator: Operator, elementBytes: 4 | 8): FunctionBody {
  const [target, addend, numBytes, digests] = [0, 1, 2, 3];
  const [ofAddend, word] = [4, 8];
  const ofTarget = 9;
  const result = 13;
  const [end, addendSums, targetSums] = [14, 15, 18];
  const addendDigest = new DigestState(ofAddend, addendSums, addendSums + 1, addendSums + 2);
  const targetDigest = new DigestState(ofTarget, targetSums, targetSums + 1, targetSums + 2);
  const vector = (offset: number): Code => [
    [get(addend), loadVector(offset), set(word)],
    [operator([get(target), loadVector(offset)], get(word)), set(result)],
    [get(target), get(result), storeVector(offset)],
    addendDigest.take(word),
    targetDigest.take(result),
  ];
  const step = (bytes: number): Code => [
    advance(target, bytes),
    advance(addend, bytes),
    retreat(numBytes, bytes),
  ];
  // The last few elements go through one vector each: v128.load32_zero or load64_zero, and a lane store.
  const loadElement: Code = [simd(elementBytes === 4 ? 92 : 93), 0, 0];
  const storeElement: Code = [simd(elementBytes === 4 ? 90 : 91), 0, 0, 0];
  const i32Load = (offset: number): Code => [get(digests), 0x28, 2, unsigned(offset)];
  const i32Store = (offset: number, value: Code): Code => [
    get(digests),
    value,
    0x36,
    2,
    unsigned(offset),
  ];
  const tailByte: Code = [addendDigest.takeByte(addend), targetDigest.takeByte(target), step(1)];
  return {
    name,
    numParameters: 4,
    returns: false,
    locals: [
      ...[V128, V128, V128, V128, V128, V128, V128, V128, V128, V128],
      I32,
      ...[I64, I64, I64, I64, I64, I64],
    ],
    code: [
      addendDigest.begin(i32Load(0), numBytes),
      targetDigest.begin(i32Load(4), numBytes),
      whileLoop(hasBytes(numBytes, 32), [vector(0), vector(16), step(32)]),
      // The rest is combined first, then digested byte by byte from its beginning.
      [get(numBytes), set(end)],
      whileLoop(hasBytes(numBytes, elementBytes), [
        [operator([get(target), loadElement], [get(addend), loadElement]), set(word)],
        [get(target), get(word), storeElement],
        step(elementBytes),
      ]),
      // numBytes is 0 here: all back by what was stepped.
      [get(target), get(end), SUBTRACT, set(target), get(addend), get(end), SUBTRACT, set(addend)],
      [get(end), set(numBytes)],
      whileLoop(hasBytes(numBytes, 1), tailByte),
      i32Store(0, addendDigest.end()),
      i32Store(4, targetDigest.end()),
    ],
  };
}

/**
 * `digest(begin, numBytes, seed)`: position-weighted sums of the bytes' 32-bit words in 64-bit
 * lanes, folded to 32 bits. See `digest.ts` for what it is to detect.
 */
function digestFunction(): FunctionBody {
  const [begin, numBytes, seed, word] = [0, 1, 2, 7];
  const state = new DigestState(3, 8, 9, 10);
  const vector = (offset: number): Code => [
    [get(begin), loadVector(offset), set(word)],
    state.take(word),
  ];
  const step = (bytes: number): Code => [advance(begin, bytes), retreat(numBytes, bytes)];
  return {
    name: 'digest',
    numParameters: 3,
    returns: true,
    locals: [V128, V128, V128, V128, V128, I64, I64, I64],
    code: [
      state.begin(get(seed), numBytes),
      whileLoop(hasBytes(numBytes, 32), [vector(0), vector(16), step(32)]),
      whileLoop(hasBytes(numBytes, 1), [state.takeByte(begin), step(1)]),
      state.end(),
    ],
  };
}

const F32X4_ADD = 228;
const F32X4_MAX = 233;
const I32X4_ADD = 174;
const I32X4_MAX_SIGNED = 184;
const I64X2_GREATER_SIGNED = 217;
const BIT_SELECT = 82;

/** Needs WebAssembly with 128-bit SIMD and threads, as every Node.js since 16.4 has. */
export function kernelModule(): Uint8Array {
  return encodeModule([
    combineFunction('sumFloat32', instruction(F32X4_ADD), 4),
    combineFunction('maxFloat32', instruction(F32X4_MAX), 4),
    combineFunction('sumInt32', instruction(I32X4_ADD), 4),
    combineFunction('maxInt32', instruction(I32X4_MAX_SIGNED), 4),
    combineFunction('sumInt64', instruction(I64X2_ADD), 8),
    combineFunction('maxInt64', maxInt64, 8),
    digestFunction(),
    ...bfloat16Functions,
  ]);
}
