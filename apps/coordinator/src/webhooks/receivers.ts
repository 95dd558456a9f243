/** Deliveries that are on their way to one receiver at a time. */
export const MAX_IN_FLIGHT = 4;
const MIN_WAIT_MS = 50;
/** How long one takes, until a first has ended. */
const FIRST_MS = 500;

interface Receiver {
  numInFlight: number;
  /** Ids of deliveries that were put off and have not come back. */
  readonly waiting: Set<string>;
  /** How long the last delivery took. */
  lastMs: number;
}

/**
 * Which receivers are busy. A receiver is an origin, however many webhooks call it: one that is slow is
 * not called more often than it answers, and takes no place from the others.
 */
export class Receivers {
  private readonly byOrigin = new Map<string, Receiver>();

  /** Those that are busy or waited for. */
  get size(): number {
    return this.byOrigin.size;
  }

  /**
   * Takes a place at the receiver, to be given back with `end`.
   * @returns null when it is taken; else in how many ms to come again, by how many wait before and
   *   by how long the receiver took of late
   */
  begin(url: string, deliveryId: string): number | null {
    const receiver = this.of(url);
    const { waiting } = receiver;
    waiting.delete(deliveryId);
    if (receiver.numInFlight < MAX_IN_FLIGHT) {
      receiver.numInFlight += 1;
      return null;
    }
    waiting.add(deliveryId);
    return Math.max(MIN_WAIT_MS, Math.ceil(waiting.size / MAX_IN_FLIGHT) * receiver.lastMs);
  }

  /** Whether `begin` would put a delivery off. */
  isBusy(url: string): boolean {
    return this.of(url).numInFlight >= MAX_IN_FLIGHT;
  }

  end(url: string, tookMs: number): void {
    const receiver = this.of(url);
    receiver.numInFlight -= 1;
    receiver.lastMs = tookMs;
    if (receiver.numInFlight === 0 && receiver.waiting.size === 0) {
      this.byOrigin.delete(originOf(url));
    }
  }

  /** A delivery that was put off does not come back: its webhook was removed. */
  forget(deliveryId: string): void {
    for (const [origin, { waiting, numInFlight }] of this.byOrigin) {
      if (!waiting.delete(deliveryId)) continue;
      if (numInFlight === 0 && waiting.size === 0) this.byOrigin.delete(origin);
    }
  }

  private of(url: string): Receiver {
    const origin = originOf(url);
    let receiver = this.byOrigin.get(origin);
    if (receiver === undefined) {
      receiver = { numInFlight: 0, waiting: new Set(), lastMs: FIRST_MS };
      this.byOrigin.set(origin, receiver);
    }
    return receiver;
  }
}

function originOf(url: string): string {
  return new URL(url).origin;
}
