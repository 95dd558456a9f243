/** Why training left a generation. */
export type TrainerErrorCode =
  /** Lanes yielded NaNs or infinities, in more steps than may be skipped: fatal. */
  | 'NON_FINITE_GRADIENT'
  /** The loss on the test split is a NaN or an infinity: fatal. */
  | 'NON_FINITE_LOSS'
  /** A replica's parameters hold a NaN or an infinity: fatal. */
  | 'NON_FINITE_PARAMETERS'
  /** A slot overflowed at the smallest exponent: the same on every try, so fatal. */
  | 'EXPONENT_EXHAUSTED'
  /** The lanes of a step did not cover exactly the samples of that step. */
  | 'SAMPLES_MISMATCH'
  /** Ranks hold different reduced vectors. */
  | 'REDUCTION_DIVERGED'
  /** Ranks hold different state at one position. */
  | 'STATE_DIVERGED'
  /** State received from a peer does not fit this engine, or is not what its sender hashed. */
  | 'STATE_MISMATCH'
  /** The optimizer update failed half-way: this rank's state is no longer of any position. */
  | 'APPLY_FAILED'
  /** Rank 0 could not store the last checkpoint, which is the model. */
  | 'CHECKPOINT_FAILED';

export class TrainerError extends Error {
  override readonly name = 'TrainerError';
  constructor(
    readonly code: TrainerErrorCode,
    message: string,
    /** True when another try with the same spec fails the same way. */
    readonly fatal = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
