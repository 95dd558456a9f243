import { CollectiveError } from './collective-error.js';
import type { SegmentKey } from './transport.js';

/** Collectives that may be under way on one link at once. */
const MAX_OPEN = 64;

/**
 * Each collective sends its segments on a link in order, so one that is passed over was lost. That is
 * found when the next one comes, and not at the collective's deadline.
 */
export class SegmentOrder {
  /** Number of the next segment, by collective; the newest collectives. */
  private readonly next = new Map<number, number>();

  /** @throws CollectiveError SEGMENT_LOST */
  expectNext({ operation, sequence, segment }: SegmentKey): void {
    const expected = this.next.get(sequence) ?? 0;
    if (segment > expected) {
      throw new CollectiveError(
        'SEGMENT_LOST',
        `segment ${segment} of ${operation} ${sequence} came, expected segment ${expected}`,
      );
    }
  }

  /** The same, and the segment has come. */
  take(key: SegmentKey): void {
    this.expectNext(key);
    const { sequence, segment } = key;
    const expected = this.next.get(sequence) ?? 0;
    this.next.set(sequence, Math.max(expected, segment + 1));
    this.next.delete(sequence - MAX_OPEN);
  }
}
