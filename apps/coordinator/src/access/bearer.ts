import { createHash, timingSafeEqual } from 'node:crypto';

/** The token of an `Authorization: Bearer` header; null without one. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

/** Whether a header carries this token. Takes the same time wherever they differ. */
export function isBearer(header: string | undefined, token: string): boolean {
  return isSameSecret(bearerOf(header) ?? '', sha256(token));
}

/** Compares a secret with the hash of the right one in a time that tells nothing of either. */
export function isSameSecret(given: string, expectedSha256: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(given), 'hex'), Buffer.from(expectedSha256, 'hex'));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
