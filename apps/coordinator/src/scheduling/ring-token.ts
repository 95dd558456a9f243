import { randomBytes } from 'node:crypto';

/** Secret of a generation's ring sockets: 192 bits. */
export function ringToken(): string {
  return randomBytes(24).toString('base64url');
}
