/** The little of the WebAssembly binary format that the kernels need (spec 2.0, chapter 5). */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/** Bytes of instructions, nested as they are written. */
export type Code = readonly (number | Code)[];

export function flatten(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? [part] : flatten(part)));
}

/** Unsigned LEB128 of a number below 2^32. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Signed LEB128. */
export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const isLast = (rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0);
    if (isLast) return [...bytes, low];
    bytes.push(low | 128);
  }
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number): Code => [0x21, unsigned(local)];
export const i32 = (value: number): Code => [0x41, signed(BigInt(value | 0))];
export const i64 = (value: bigint): Code => [0x42, signed(BigInt.asIntN(64, value))];
/** An instruction of the SIMD extension. */
export const simd = (opcode: number): Code => [0xfd, unsigned(opcode)];
export const loadVector = (offset: number): Code => [simd(0), 0, unsigned(offset)];
export const storeVector = (offset: number): Code => [simd(11), 0, unsigned(offset)];
/** A constant vector of four i32, or of one four times. */
export const vectorOf = (
  ...lanes: readonly [number] | readonly [number, number, number, number]
): Code => {
  const bytes = new Uint8Array(
    Int32Array.from({ length: 4 }, (_, i) => lanes[i] ?? lanes[0]).buffer,
  );
  return [simd(12), [...bytes]];
};
/** i32x4.splat */
export const splat = (): Code => simd(17);
export const i64x2Lane = (lane: number): Code => [simd(29), lane];

/** Repeats `body` while `condition`, an i32, is not 0. */
export function whileLoop(condition: Code, body: Code): Code {
  // block (loop (br_if 1 (eqz condition)) body (br 0))
  return [0x02, 0x40, 0x03, 0x40, condition, 0x45, 0x0d, 1, body, 0x0c, 0, 0x0b, 0x0b];
}

export interface FunctionBody {
  readonly name: string;
  /** All parameters are i32. */
  readonly numParameters: number;
  /** One i32, or nothing. */
  readonly returns: boolean;
  /** Types of the locals after the parameters. */
  readonly locals: readonly number[];
  readonly code: Code;
}

/** A module that exports `functions` over an imported shared memory, `env.memory`. */
export function encodeModule(functions: readonly FunctionBody[]): Uint8Array {
  const text = (value: string): Code => [unsigned(value.length), [...Buffer.from(value)]];
  const vector = (items: readonly Code[]): Code => [unsigned(items.length), items];
  const sized = (code: Code): Code => {
    const bytes = flatten(code);
    return [unsigned(bytes.length), bytes];
  };
  const section = (id: number, items: readonly Code[]): Code => [id, sized(vector(items))];
  const types = functions.map(({ numParameters, returns }): Code => [
    0x60,
    vector(Array.from({ length: numParameters }, () => [I32])),
    vector(returns ? [[I32]] : []),
  ]);
  const bodies = functions.map(({ locals, code }): Code => {
    const declared = locals.map((type): Code => [1, type]);
    return sized([vector(declared), code, 0x0b]);
  });
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, types),
      // Shared, at least 1 page, at most 65,536.
      section(2, [[text('env'), text('memory'), 2, 3, unsigned(1), unsigned(65_536)]]),
      section(
        3,
        functions.map((_, index) => unsigned(index)),
      ),
      section(
        7,
        functions.map(({ name }, index) => [text(name), 0, unsigned(index)]),
      ),
      section(10, bodies),
    ]),
  );
}
