import {
  encodeModule,
  get,
  i32,
  i64,
  I64,
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

/** `name(target, addend, numBytes)`: target = operator(target, addend), element by element. */
function combineFunction(name: string, vectorOperator: number, elementBytes: 4 | 8): FunctionBody {
  const [target, addend, numBytes, tail] = [0, 1, 2, 3];
  const vector = (offset: number): Code => [
    get(target),
    get(target),
    loadVector(offset),
    get(addend),
    loadVector(offset),
    simd(vectorOperator),
    storeVector(offset),
  ];
  const step = (bytes: number): Code => [
    advance(target, bytes),
    advance(addend, bytes),
    retreat(numBytes, bytes),
  ];
  // The last few elements go through one vector each: v128.load32_zero or load64_zero, and a lane store.
  const loadElement: Code = [simd(elementBytes === 4 ? 92 : 93), 0, 0];
  const storeElement: Code = [simd(elementBytes === 4 ? 90 : 91), 0, 0, 0];
  return {
    name,
    numParameters: 3,
    returns: false,
    locals: [V128],
    code: [
      whileLoop(hasBytes(numBytes, 64), [[0, 16, 32, 48].map(vector), step(64)]),
      whileLoop(hasBytes(numBytes, elementBytes), [
        [get(target), loadElement, get(addend), loadElement, simd(vectorOperator), set(tail)],
        [get(target), get(tail), storeElement],
        step(elementBytes),
      ]),
    ],
  };
}

/**
 * `digest(begin, numBytes, seed)`: position-weighted sums of the bytes' 32-bit words in 64-bit
 * lanes, folded to 32 bits. See `digest.ts` for what it is to detect.
 */
function digestFunction(): FunctionBody {
  const [begin, numBytes, seed] = [0, 1, 2];
  const [sumLow, weightedLow, sumHigh, weightedHigh, word] = [3, 4, 5, 6, 7];
  const [sum, weighted, hash] = [8, 9, 10];
  const I64X2_ADD = 206;
  const EXTEND_LOW = 201;
  const EXTEND_HIGH = 202;
  const I64_ADD = 0x7c;
  const accumulate = (extend: number, plain: number, weights: number): Code => [
    [get(word), simd(extend), get(plain), simd(I64X2_ADD), set(plain)],
    [get(weights), get(plain), simd(I64X2_ADD), set(weights)],
  ];
  const vector = (offset: number): Code => [
    [get(begin), loadVector(offset), set(word)],
    accumulate(EXTEND_LOW, sumLow, weightedLow),
    accumulate(EXTEND_HIGH, sumHigh, weightedHigh),
  ];
  /** hash = (hash xor value) * multiplier; hash ^= hash >>> 32. */
  const mix = (value: Code): Code => [
    [get(hash), value, 0x85, i64(DIGEST_MULTIPLIER), 0x7e, set(hash)],
    [get(hash), get(hash), i64(32n), 0x88, 0x85, set(hash)],
  ];
  const step = (bytes: number): Code => [advance(begin, bytes), retreat(numBytes, bytes)];
  const lanes = [sumLow, weightedLow, sumHigh, weightedHigh];
  return {
    name: 'digest',
    numParameters: 3,
    returns: true,
    locals: [V128, V128, V128, V128, V128, I64, I64, I64],
    code: [
      // i64.extend_i32_u of seed and length begin the hash.
      [get(seed), 0xad, set(hash)],
      mix([get(numBytes), 0xad]),
      whileLoop(hasBytes(numBytes, 32), [vector(0), vector(16), step(32)]),
      whileLoop(hasBytes(numBytes, 1), [
        // i64.load8_u
        [get(begin), 0x31, 0, unsigned(0), get(sum), I64_ADD, set(sum)],
        [get(weighted), get(sum), I64_ADD, set(weighted)],
        step(1),
      ]),
      lanes.flatMap((local) => [0, 1].map((lane) => mix([get(local), i64x2Lane(lane)]))),
      mix(get(sum)),
      mix(get(weighted)),
      // i32.wrap_i64
      [get(hash), 0xa7],
    ],
  };
}

const F32X4_ADD = 228;
const F32X4_MAX = 233;
const I32X4_ADD = 174;
const I32X4_MAX_SIGNED = 184;
const I64X2_ADD = 206;

/** Needs WebAssembly with 128-bit SIMD and threads, as every Node.js since 16.4 has. */
export function kernelModule(): Uint8Array {
  return encodeModule([
    combineFunction('sumFloat32', F32X4_ADD, 4),
    combineFunction('maxFloat32', F32X4_MAX, 4),
    combineFunction('sumInt32', I32X4_ADD, 4),
    combineFunction('maxInt32', I32X4_MAX_SIGNED, 4),
    combineFunction('sumInt64', I64X2_ADD, 8),
    digestFunction(),
  ]);
}
