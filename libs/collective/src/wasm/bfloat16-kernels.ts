import {
  get,
  i32,
  loadVector,
  set,
  simd,
  splat,
  storeVector,
  V128,
  vectorOf,
  whileLoop,
  type Code,
  type FunctionBody,
} from './encode.js';

const I32X4 = { shl: 171, shiftRight: 173, add: 174, multiply: 181, greater: 59 };
const AND = 78;
const OR = 80;
const XOR = 81;
const SELECT = 82;
const NARROW_UNSIGNED = 134;
const EXTEND_LOW = 169;
const EXTEND_HIGH = 170;
const F32X4_ADD = 228;
const F32X4_MAX = 233;
const ADD = 0x6a;
const SUBTRACT = 0x6b;
const AT_LEAST_UNSIGNED = 0x4f;

const [FLOATS, PACKED, COUNT] = [0, 1, 2];
/** Elements that one turn of a loop takes: two vectors of float32, one of bfloat16. */
export const BFLOAT16_GROUP = 8;

const advance = (local: number, by: number): Code => [get(local), i32(by), ADD, set(local)];
const loop = (body: Code): Code =>
  whileLoop(
    [get(COUNT), i32(BFLOAT16_GROUP), AT_LEAST_UNSIGNED],
    [
      body,
      advance(FLOATS, 4 * BFLOAT16_GROUP),
      advance(PACKED, 2 * BFLOAT16_GROUP),
      [get(COUNT), i32(BFLOAT16_GROUP), SUBTRACT, set(COUNT)],
    ],
  );
const shifted = (value: Code, opcode: number): Code => [value, i32(16), simd(opcode)];

/**
 * The upper halves of 4 float32 after adding `noise`, which is below 2^16: an integer addition
 * rounds magnitudes, whatever the sign. A NaN becomes a quiet one, as noise could make it an infinity.
 */
function rounded(bits: number, noise: Code): Code {
  const magnitude: Code = [get(bits), vectorOf(0x7fffffff), simd(AND)];
  const isNan: Code = [magnitude, vectorOf(0x7f800000), simd(I32X4.greater)];
  const quiet: Code = [get(bits), vectorOf(0x00400000), simd(OR)];
  const sum: Code = [get(bits), noise, simd(I32X4.add)];
  return shifted([quiet, sum, isNan, simd(SELECT)], I32X4.shiftRight);
}

/** Writes 8 rounded values to both places: packed, and as the float32 that they now are. */
function pack(noise: (bits: number, half: number) => Code): Code {
  const [bits, low, high] = [4, 5, 6];
  const half = (offset: number, into: number, index: number): Code => [
    [get(FLOATS), loadVector(offset), set(bits)],
    [rounded(bits, noise(bits, index)), set(into)],
    [get(FLOATS), shifted(get(into), I32X4.shl), storeVector(offset)],
  ];
  return [
    half(0, low, 0),
    half(16, high, 1),
    [get(PACKED), get(low), get(high), simd(NARROW_UNSIGNED), storeVector(0)],
  ];
}

/** `packNearest(floats, packed, count, 0)`: to the nearest bfloat16, of two equally near the even one. */
const packNearest: FunctionBody = {
  name: 'packNearest',
  numParameters: 4,
  returns: false,
  locals: [V128, V128, V128],
  code: loop(
    pack((bits) => {
      const isOdd: Code = [shifted(get(bits), I32X4.shiftRight), vectorOf(1), simd(AND)];
      return [vectorOf(0x7fff), isOdd, simd(I32X4.add)];
    }),
  ),
};

/**
 * `packStochastic(floats, packed, count, seed)`: up with a chance of the part that is cut off, down
 * otherwise, by noise that is a function of seed + index (two turns of Marsaglia's xor and multiply).
 */
const packStochastic: FunctionBody = {
  name: 'packStochastic',
  numParameters: 4,
  returns: false,
  locals: [V128, V128, V128, V128, V128],
  code: [
    [get(3), splat(), vectorOf(0, 1, 2, 3), simd(I32X4.add), set(7)],
    loop(
      pack(() => {
        const mix = (shift: number): Code => [
          [get(8), get(8), i32(shift), simd(I32X4.shiftRight), simd(XOR), set(8)],
        ];
        return [
          [get(7), vectorOf(0x9e3779b1), simd(I32X4.multiply), set(8), mix(15)],
          [get(8), vectorOf(0x85ebca77), simd(I32X4.multiply), set(8), mix(13)],
          [get(7), vectorOf(4), simd(I32X4.add), set(7)],
          [get(8), vectorOf(0xffff), simd(AND)],
        ];
      }),
    ),
  ],
};

function unpack(name: string, combine: (floats: Code, value: Code) => Code): FunctionBody {
  const half = (offset: number, extend: number): Code => [
    get(FLOATS),
    combine(
      [get(FLOATS), loadVector(offset)],
      shifted([get(PACKED), loadVector(0), simd(extend)], I32X4.shl),
    ),
    storeVector(offset),
  ];
  return {
    name,
    numParameters: 4,
    returns: false,
    locals: [],
    code: loop([half(0, EXTEND_LOW), half(16, EXTEND_HIGH)]),
  };
}

/** All take addresses of float32 and bfloat16 values, and their number, a multiple of the group. */
export const bfloat16Functions: readonly FunctionBody[] = [
  packNearest,
  packStochastic,
  unpack('unpackSet', (_, value) => value),
  unpack('unpackSum', (floats, value) => [floats, value, simd(F32X4_ADD)]),
  unpack('unpackMax', (floats, value) => [floats, value, simd(F32X4_MAX)]),
];
