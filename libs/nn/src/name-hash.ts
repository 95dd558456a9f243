const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a of the name's characters, 64 bits, as two uint32, the low one first. */
export function hashName(name: string): [number, number] {
  let hash = FNV_OFFSET;
  for (const character of name) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * FNV_PRIME);
  }
  return [Number(hash & 0xffff_ffffn), Number(hash >> 32n)];
}
