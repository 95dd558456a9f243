import { setTimeout as pause } from 'node:timers/promises';
import type { SegmentKey } from '@skipring/collective';
import type { Fence, RingPhase } from '@skipring/protocol';
import type { Strike } from './armed-faults.js';
import { freezeProcess, killProcess } from './end-process.js';

/** The faults of the ring, brought about on the I/O thread. */
export class RingFaults {
  /** For the next all-reduce. */
  private strike: { readonly strike: Strike; readonly fence: Fence } | null = null;
  /** What happens to the next segments. */
  private segments: { readonly strike: Strike; numLeft: number } | null = null;

  /** @param announce resolves when the coordinator has been told */
  constructor(private readonly announce: (id: string, fence: Fence) => Promise<void>) {}

  arm(strike: Strike, fence: Fence): void {
    this.strike = { strike, fence };
  }

  /** A ring begins or has ended: what was to happen in the one before is over. */
  reset(): void {
    this.strike = null;
    this.segments = null;
  }

  /** The all-reduce comes to one of its halves. */
  async reach(half: RingPhase): Promise<void> {
    const armed = this.strike;
    if (armed?.strike.fault.phase !== half) return;
    const { strike, fence } = armed;
    this.strike = null;
    await this.announce(strike.id, fence);
    const { fault } = strike;
    switch (fault.kind) {
      case 'kill':
        killProcess();
        return;
      case 'freeze':
        freezeProcess(fault.durationMs);
        return;
      case 'corruptFrame':
        this.segments = { strike, numLeft: 1 };
        return;
      case 'delaySegments':
      case 'dropSegments':
        this.segments = { strike, numLeft: fault.count };
        return;
      case 'hang':
        return;
    }
  }

  /** A segment is about to go out. See `SendInterceptor`. */
  intercept(_key: SegmentKey, payload: Uint8Array): Promise<Uint8Array | null> | null {
    const { segments } = this;
    if (segments === null || payload.byteLength === 0) return null;
    segments.numLeft -= 1;
    if (segments.numLeft === 0) this.segments = null;
    const { fault } = segments.strike;
    switch (fault.kind) {
      case 'delaySegments':
        return pause(fault.durationMs, payload);
      case 'dropSegments':
        return Promise.resolve(null);
      case 'corruptFrame':
        return Promise.resolve(withOtherBit(payload));
      case 'kill':
      case 'freeze':
      case 'hang':
        return null;
    }
  }
}

/** A copy: the payload itself is the rank's own gradient. */
function withOtherBit(payload: Uint8Array): Uint8Array {
  const changed = new Uint8Array(payload);
  const middle = changed.byteLength >> 1;
  changed[middle] = (changed[middle] ?? 0) ^ 1;
  return changed;
}
