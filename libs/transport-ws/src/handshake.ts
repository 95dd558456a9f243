import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { PROTOCOL_VERSION, type Fence } from '@skipring/protocol';
import type { SlotsOffer } from './shared-slots.js';

/** Names the reason of a refusal in the answer to a dial. */
export const REFUSAL_HEADER = 'x-skipring-refusal';

/** In a dial: the slots that its rank shares. In the answer: that they are taken. */
export const SLOTS_HEADER = 'x-skipring-slots';
export const SLOTS_TAKEN = 'taken';

export type RefusalCode =
  /** This generation is not registered here yet: dial again. */
  | 'NOT_READY'
  | 'STALE_GENERATION'
  | 'UNAUTHORIZED'
  /** This link has its socket already. */
  | 'ALREADY_CONNECTED'
  | 'PROTOCOL';

/** What a dial says: rank `from` wants the frames of rank `to`. */
export interface RingDial {
  readonly fence: Fence;
  readonly from: number;
  readonly to: number;
  readonly ringToken: string;
}

export function dialHeaders({ fence, from, to, ringToken }: RingDial): Record<string, string> {
  return {
    authorization: `Bearer ${ringToken}`,
    'x-skipring-protocol': String(PROTOCOL_VERSION),
    'x-skipring-job': encodeURIComponent(fence.jobId),
    'x-skipring-attempt': String(fence.attempt),
    'x-skipring-generation': String(fence.generation),
    'x-skipring-from': String(from),
    'x-skipring-to': String(to),
  };
}

/** Reads a dial's headers; null if one is missing, malformed or of another protocol version. */
export function parseDial(headers: IncomingHttpHeaders): RingDial | null {
  const text = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' && value.length <= 512 ? value : '';
  };
  const count = (name: string): number => {
    const value = text(`x-skipring-${name}`);
    return /^\d{1,10}$/.test(value) ? Number(value) : NaN;
  };
  const dial: RingDial = {
    fence: {
      jobId: decodeJobId(text('x-skipring-job')),
      attempt: count('attempt'),
      generation: count('generation'),
    },
    from: count('from'),
    to: count('to'),
    ringToken: text('authorization').replace(/^Bearer /, ''),
  };
  const numbers = [dial.fence.attempt, dial.fence.generation, dial.from, dial.to];
  const isComplete =
    count('protocol') === PROTOCOL_VERSION &&
    dial.fence.jobId !== '' &&
    !numbers.some(Number.isNaN);
  return isComplete ? dial : null;
}

export function slotsHeader({ pid, fd, nonce }: SlotsOffer): string {
  return `${pid} ${fd} ${nonce}`;
}

/** The slots that a dial offers; null if none, or none that makes sense. */
export function parseSlots(headers: IncomingHttpHeaders): SlotsOffer | null {
  const value = headers[SLOTS_HEADER];
  const match = /^(\d{1,10}) (\d{1,10}) ([0-9a-f]{32})$/.exec(
    typeof value === 'string' ? value : '',
  );
  const [, pid = '', fd = '', nonce = ''] = match ?? [];
  return match === null ? null : { pid: Number(pid), fd: Number(fd), nonce };
}

function decodeJobId(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return '';
  }
}

/** Compares secrets in a time that tells nothing about them. */
export function sameToken(given: string, expected: string): boolean {
  const digest = (token: string) => createHash('sha256').update(token).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Orders the memberships of one job: by attempt, then by generation. */
export function compareFence(
  a: Pick<Fence, 'attempt' | 'generation'>,
  b: Pick<Fence, 'attempt' | 'generation'>,
): number {
  return a.attempt - b.attempt || a.generation - b.generation;
}
