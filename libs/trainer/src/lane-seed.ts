/**
 * Seed of one lane's stateless random streams inside the model (dropout), an int32 >= 0. Mixes with
 * the 32-bit finaliser of MurmurHash3 (Appleby), so that neighbouring steps and lanes are unlike.
 */
export function laneSeed(jobSeed: number, step: number, lane: number): number {
  return mix(mix(mix(jobSeed) ^ step) ^ lane) >>> 1;
}

function mix(value: number): number {
  let h = (value + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
