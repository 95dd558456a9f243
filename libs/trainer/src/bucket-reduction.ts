import type { Generation } from './generation.js';

/**
 * The ring's work on one step's vector, bucket by bucket: a bucket may be begun while the rest of the
 * vector is computed, and the ring, on its own thread, works on it meanwhile. The operations and their
 * order are the same on every rank and whenever they begin, and so are the bits. A vector of a single
 * bucket is one operation. Slots may cross the ring as bfloat16; counts and flags, which go last, stay
 * whole numbers.
 */
export class BucketReduction {
  private readonly running: Promise<void>[] = [];
  private readonly busyMsBefore: number;
  private numBegun = 0;
  private isEntered = false;
  private error: Error | null = null;

  constructor(private readonly g: Generation) {
    this.busyMsBefore = g.collective.busyMs;
  }

  /**
   * Begins with a bucket that is complete in the generation's vector, in the order of the layout.
   * Rejects with the error of an operation that was begun before: the step need not be computed on.
   */
  async begin(bucket: number): Promise<void> {
    if (this.error !== null) throw this.error;
    const { vector, state, onPhase } = this.g;
    const { offset, length } = this.layout.buckets[bucket] ?? { offset: 0, length: 0 };
    if (this.isWhole) return;
    if (!this.isEntered) await onPhase('reduce', state.position.step + 1);
    this.isEntered = true;
    this.numBegun = bucket + 1;
    this.start(vector.subarray(offset, offset + length), this.isBfloat16 ? 'bfloat16' : undefined);
  }

  /** Begins what is left; resolves when the whole vector is reduced. */
  async finish(): Promise<void> {
    const { vector, state, onPhase } = this.g;
    const { buckets, metricsOffset } = this.layout;
    if (this.isWhole) {
      await onPhase('reduce', state.position.step + 1);
      this.start(vector);
    } else {
      for (let bucket = this.numBegun; bucket < buckets.length; bucket++) await this.begin(bucket);
      this.start(vector.subarray(metricsOffset));
    }
    await Promise.all(this.running);
  }

  /** Milliseconds in which the ring worked on this vector, after `finish`. */
  get busyMs(): number {
    return this.g.collective.busyMs - this.busyMsBefore;
  }

  private start(part: Int32Array | Float32Array, wire?: 'bfloat16'): void {
    const { collective, deadlineMs } = this.g;
    const operation = collective.allReduce(part, deadlineMs, wire);
    // It may fail while nobody waits for it yet.
    operation.catch((error: unknown) => {
      this.error ??= error instanceof Error ? error : new Error(String(error));
    });
    this.running.push(operation);
  }

  private get layout() {
    return this.g.state.engine.layout;
  }

  private get isBfloat16(): boolean {
    return this.g.spec.reduction === 'bfloat16';
  }

  private get isWhole(): boolean {
    return this.layout.buckets.length === 1 && !this.isBfloat16;
  }
}
