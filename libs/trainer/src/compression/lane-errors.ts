import type { CompressedSlot } from './compressed-slots.js';
import type { LaneDelta } from './compressor.js';

/**
 * Error feedback: what compression left out of each of this rank's lanes, which is added to the lane's
 * next gradient (Seide et al. 2014; Karimireddy et al. 2019). Values are for a full step: one with fewer
 * samples, whose sum is divided by less, takes as much less of them.
 */
export class LaneErrors {
  private readonly errors: ReadonlyMap<number, readonly Float32Array[]>;

  constructor(slots: readonly CompressedSlot[], lanes: readonly number[]) {
    this.errors = new Map(
      lanes.map((lane) => [lane, slots.map(({ length }) => new Float32Array(length))]),
    );
  }

  /**
   * A lane's gradient and what was left out before.
   *
   * @param gradient by compressed slot
   * @param share of a full step's samples that this step has
   */
  plus(lane: number, gradient: readonly Float32Array[], share: number): LaneDelta {
    const own = this.errors.get(lane) ?? [];
    const slots = gradient.map((values, index) => {
      const sum = values.slice();
      const error = own[index] ?? new Float32Array();
      const { length } = sum;
      for (let i = 0; i < length; i++) sum[i] = (values[i] ?? 0) + (error[i] ?? 0) * share;
      return sum;
    });
    return { lane, slots };
  }

  /** Keeps what was not sent. */
  keep({ lane, slots }: LaneDelta, sent: readonly Float64Array[], share: number): void {
    const own = this.errors.get(lane) ?? [];
    own.forEach((error, index) => {
      const [values, part] = [slots[index] ?? error, sent[index] ?? new Float64Array()];
      const { length } = error;
      for (let i = 0; i < length; i++) error[i] = ((values[i] ?? 0) - (part[i] ?? 0)) / share;
    });
  }
}
