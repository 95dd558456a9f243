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

const I32X4 = { shl: 171, shiftRight: 173, add: 174, multiply: 181 };
const F32X4 = { differs: 66, add: 228, max: 233 };
const AND = 78;
const AND_NOT = 79;
const OR = 80;
const XOR = 81;
const NARROW_UNSIGNED = 134;
const EXTEND_LOW = 169;
const EXTEND_HIGH = 170;
const ADD = 0x6a;
const SUBTRACT = 0x6b;
const AT_LEAST_UNSIGNED = 0x4f;

const [FLOATS, PACKED, COUNT, SEED, ADDEND] = [0, 1, 2, 3, 4];
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
/** 4 of 8 bfloat16 values at an address, as float32. */
const widened = (address: number, extend: number): Code =>
  shifted([get(address), loadVector(0), simd(extend)], I32X4.shl);

/** Local vectors of the functions that round. */
const [BITS, LOW, HIGH, NAN, INDEX, HASH] = [5, 6, 7, 8, 9, 10];
const ROUNDING_LOCALS = [V128, V128, V128, V128, V128, V128];

/** What is added to 4 float32 before their lower halves are cut off. */
interface Noise {
  readonly begin: Code;
  readonly next: Code;
}

/** To the nearest bfloat16, of two equally near the even one. */
const NEAREST: Noise = {
  begin: [],
  next: [
    vectorOf(0x7fff),
    [shifted(get(BITS), I32X4.shiftRight), vectorOf(1), simd(AND)],
    simd(I32X4.add),
  ],
};

const mix = (shift: number): Code => [
  [get(HASH), get(HASH), i32(shift), simd(I32X4.shiftRight), simd(XOR), set(HASH)],
];

/**
 * Up with a chance of the part that is cut off, down otherwise, by noise that is a function of
 * seed + index (two turns of Marsaglia's xor and multiply).
 */
const STOCHASTIC: Noise = {
  begin: [get(SEED), splat(), vectorOf(0, 1, 2, 3), simd(I32X4.add), set(INDEX)],
  next: [
    [get(INDEX), vectorOf(0x9e3779b1), simd(I32X4.multiply), set(HASH), mix(15)],
    [get(HASH), vectorOf(0x85ebca77), simd(I32X4.multiply), set(HASH), mix(13)],
    [get(INDEX), vectorOf(4), simd(I32X4.add), set(INDEX)],
    [get(HASH), vectorOf(0xffff), simd(AND)],
  ],
};

/**
 * The upper halves of 4 float32 after adding noise, which is below 2^16: an integer addition rounds
 * magnitudes, whatever the sign. A NaN becomes a quiet one, as noise could make it an infinity.
 */
function rounded({ next }: Noise): Code {
  return [
    [get(BITS), get(BITS), simd(F32X4.differs), set(NAN)],
    [get(BITS), next, get(NAN), simd(AND_NOT), simd(I32X4.add)],
    [get(NAN), vectorOf(0x00400000), simd(AND), simd(OR)],
    shifted([], I32X4.shiftRight),
  ];
}

/** Rounds 8 values, `load`ed 4 at a time, to `PACKED`; `keep` is what is done with 4 of them. */
function pack(
  noise: Noise,
  load: (offset: number, extend: number) => Code,
  keep: (offset: number, upperHalves: number) => Code = () => [],
): Code {
  const half = (offset: number, extend: number, into: number): Code => [
    [load(offset, extend), set(BITS)],
    [rounded(noise), set(into)],
    keep(offset, into),
  ];
  return [
    half(0, EXTEND_LOW, LOW),
    half(16, EXTEND_HIGH, HIGH),
    [get(PACKED), get(LOW), get(HIGH), simd(NARROW_UNSIGNED), storeVector(0)],
  ];
}

const roundingFunction = (name: string, noise: Noise, body: Code): FunctionBody => ({
  name,
  numParameters: 5,
  returns: false,
  locals: ROUNDING_LOCALS,
  code: [noise.begin, loop(body)],
});

const loadFloats = (offset: number): Code => [get(FLOATS), loadVector(offset)];

/** Rounded values go to `FLOATS` too, as float32. */
const keepFloats = (offset: number, upperHalves: number): Code => [
  [get(FLOATS), shifted(get(upperHalves), I32X4.shl), storeVector(offset)],
];

/** `name(floats, packed, count, seed, 0)`: rounds to both places, as bfloat16 and as float32. */
const packFunction = (name: string, noise: Noise): FunctionBody =>
  roundingFunction(name, noise, pack(noise, loadFloats, keepFloats));

/** The same, but floats are only read; `packed` may be at the same address. */
const narrowFunction = (name: string, noise: Noise): FunctionBody =>
  roundingFunction(name, noise, pack(noise, loadFloats));

/** `name(floats, packed, count, seed, addend)`: the same for floats combined with bfloat16 values. */
const reduceFunction = (
  name: string,
  noise: Noise,
  operator: number,
  keep?: typeof keepFloats,
): FunctionBody =>
  roundingFunction(name, noise, [
    pack(
      noise,
      (offset, extend) => [loadFloats(offset), widened(ADDEND, extend), simd(operator)],
      keep,
    ),
    advance(ADDEND, 2 * BFLOAT16_GROUP),
  ]);

function unpack(name: string, combine: (floats: Code, value: Code) => Code): FunctionBody {
  const half = (offset: number, extend: number): Code => [
    get(FLOATS),
    combine(loadFloats(offset), widened(PACKED, extend)),
    storeVector(offset),
  ];
  return {
    name,
    numParameters: 5,
    returns: false,
    locals: [],
    code: loop([half(0, EXTEND_LOW), half(16, EXTEND_HIGH)]),
  };
}

/**
 * `widen(floats, packed, count, 0, 0)`, which takes the ends and works its way down: so packed values may
 * lie in the first half of the bytes of the floats that they become.
 */
const widen: FunctionBody = {
  name: 'widen',
  numParameters: 5,
  returns: false,
  locals: [V128],
  code: whileLoop(
    [get(COUNT), i32(BFLOAT16_GROUP), AT_LEAST_UNSIGNED],
    [
      advance(FLOATS, -4 * BFLOAT16_GROUP),
      advance(PACKED, -2 * BFLOAT16_GROUP),
      [get(PACKED), loadVector(0), set(BITS)],
      [get(FLOATS), shifted([get(BITS), simd(EXTEND_LOW)], I32X4.shl), storeVector(0)],
      [get(FLOATS), shifted([get(BITS), simd(EXTEND_HIGH)], I32X4.shl), storeVector(16)],
      [get(COUNT), i32(BFLOAT16_GROUP), SUBTRACT, set(COUNT)],
    ],
  ),
};

/** All take addresses of float32 and bfloat16 values, and their number, a multiple of the group. */
export const bfloat16Functions: readonly FunctionBody[] = [
  packFunction('packNearest', NEAREST),
  packFunction('packStochastic', STOCHASTIC),
  narrowFunction('narrowNearest', NEAREST),
  narrowFunction('narrowStochastic', STOCHASTIC),
  reduceFunction('reduceSumNearest', NEAREST, F32X4.add),
  reduceFunction('reduceSumStochastic', STOCHASTIC, F32X4.add),
  reduceFunction('reduceMaxNearest', NEAREST, F32X4.max),
  reduceFunction('reduceMaxStochastic', STOCHASTIC, F32X4.max),
  reduceFunction('finishSumNearest', NEAREST, F32X4.add, keepFloats),
  reduceFunction('finishSumStochastic', STOCHASTIC, F32X4.add, keepFloats),
  reduceFunction('finishMaxNearest', NEAREST, F32X4.max, keepFloats),
  reduceFunction('finishMaxStochastic', STOCHASTIC, F32X4.max, keepFloats),
  widen,
  unpack('unpackSet', (_, value) => value),
  unpack('unpackSum', (floats, value) => [floats, value, simd(F32X4.add)]),
  unpack('unpackMax', (floats, value) => [floats, value, simd(F32X4.max)]),
];
