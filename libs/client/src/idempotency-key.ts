/**
 * A key of 128 random bits. Not `crypto.randomUUID`, which browsers have only on encrypted pages and
 * those of their own machine.
 */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) =>
    word.toString(16).padStart(8, '0'),
  ).join('-');
}
