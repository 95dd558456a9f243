import type { Layer } from '@skipring/protocol';

/** Named tensor data as it crosses between engine, checkpoint and peers. */
export interface TensorData {
  readonly shape: readonly number[];
  /** Row-major values. */
  readonly values: Float32Array;
}

/** Tensors by name, in the engine's canonical order. */
export type TensorMap = ReadonlyMap<string, TensorData>;

/** What a slice of the reduced vector holds. */
export type SlotKind = 'gradient' | 'batchMean' | 'batchVariance';

/** One tensor's place in the reduced vector. */
export interface TensorSlot {
  /** Name of the parameter or moving statistic that the slot updates. */
  readonly name: string;
  readonly kind: SlotKind;
  readonly shape: readonly number[];
  /** First element in the vector. */
  readonly offset: number;
  /** Number of elements. */
  readonly length: number;
}

/** Slots that the ring sums together, as soon as the backward pass has finished all of them. */
export interface Bucket {
  readonly firstSlot: number;
  /** The first slot behind it. */
  readonly endSlot: number;
  /** First element in the vector. */
  readonly offset: number;
  /** Number of elements. */
  readonly length: number;
}

/** Values from `offset` on of a lane's vector. */
export interface VectorPart {
  readonly offset: number;
  readonly values: Int32Array | Float32Array;
}

/**
 * Layout of the vector that one lane yields and the ring sums. All elements have the vector's one
 * element type (int32 for `exact`, float32 otherwise):
 *
 *     [ slot 0 | slot 1 | ... | lossSum | correct | samples | overflow per slot | nonFinite per slot ]
 *
 * `lossSum` is the sum over samples (fixed point with `lossScaleBits` fractional bits when exact),
 * `correct` and `samples` are counts, and each flag counts the lanes in which the slot did not fit
 * its exponent, or held a NaN or an infinity.
 */
export interface VectorLayout {
  readonly slots: readonly TensorSlot[];
  /** All slots, in the order in which a backward pass finishes them; a function of the model alone. */
  readonly buckets: readonly Bucket[];
  /** Index of `lossSum`; `correct` and `samples` follow it. */
  readonly metricsOffset: number;
  /** Index of the first overflow flag (one element per slot). */
  readonly overflowOffset: number;
  /** Index of the first non-finite flag (one element per slot, then one for the loss). */
  readonly nonFiniteOffset: number;
  /** Number of elements in all. */
  readonly length: number;
  /** Fractional bits of `lossSum` in an exact vector. */
  readonly lossScaleBits: number;
}

/** One lane's samples, decoded, augmented and normalised. */
export interface LaneBatch {
  /** Shape [samples, height, width, channels]. */
  readonly images: Float32Array;
  /** Class of each sample, shape [samples]. */
  readonly labels: Int32Array;
  readonly samples: number;
}

/** Result of one evaluation batch; its counts are integers, so that their sum has no order. */
export interface EvaluationCounts {
  /** Row = true class, column = predicted class, shape [classes, classes]. */
  readonly confusion: Int32Array;
  /** Sum of the samples' losses in fixed point with `lossScaleBits` fractional bits. */
  readonly lossSum: number;
  readonly samples: number;
  /** Loss of each sample, shape [samples]. */
  readonly losses: Float32Array;
  /** Predicted class of each sample, shape [samples]. */
  readonly predicted: Int32Array;
}

/** Statistics of one pass over one lane, one value for each layer; float32 [layers]. */
export interface ActivationStatistics {
  readonly mean: Float32Array;
  /** Biased: over all values, with N in the denominator. */
  readonly variance: Float32Array;
}

/** 2-norms of each layer's parameters taken together, float32 [layers]. */
export interface LayerNorms {
  /** Of the reduced gradient, before clipping and weight decay. */
  readonly gradient: Float32Array;
  readonly weight: Float32Array;
}

/** Looks at a model's layers in graphs of its own: training computes the same bits with it. */
export interface LayerProbe {
  /** Layers that have parameters, from the input to the output. */
  readonly layers: readonly Layer[];
  /** Of each layer's output in a forward pass as in training. */
  activations(batch: LaneBatch, seed: number): ActivationStatistics;
  /** Of a reduced vector and of the parameters as they are before it is applied. */
  norms(
    reduced: Int32Array | Float32Array,
    inputs: Pick<ApplyInputs, 'totalWeight' | 'exponents'>,
  ): LayerNorms;
}

/** The scalars of one optimizer update. */
export interface ApplyInputs {
  readonly learningRate: number;
  /** Number of this update in the job, from 1: what Adam's bias corrections depend on. */
  readonly step: number;
  /** Sum over all lanes of samples / laneSize: what the reduced sum is divided by. */
  readonly totalWeight: number;
  /** Fixed-point exponent of each slot, shape [slots]; ignored for float vectors. */
  readonly exponents: Int32Array;
}

/** What the loop must know of a sum that stays in the engine. */
export interface HeldValues {
  /** Elements of the vector from `metricsOffset` on. */
  readonly tail: Int32Array | Float32Array;
  /** Largest magnitude in each slot of an exact sum, shape [slots]; of a float32 one empty. */
  readonly maxima: Int32Array;
}

/**
 * A sum of lanes that stays in the engine, for a step that no other rank adds to: neither read out nor
 * added up outside. The bits are those of `forwardBackward`, addition, and `apply`.
 */
export interface HeldSum {
  /**
   * Adds a lane to the sum, or begins a new one with it; the arguments are those of `forwardBackward`.
   *
   * @returns of the sum, this lane included
   */
  add(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
    isFirst: boolean,
  ): HeldValues;
  /** As the engine's `apply`, by the sum that is held. */
  apply(inputs: ApplyInputs): void;
}

/**
 * A compiled model: what the training loop computes with. Implemented by `libs/graph`; a small
 * arithmetic one for tests is in `@skipring/trainer/testing`. All calls are synchronous and block
 * their thread.
 */
export interface Engine {
  readonly reduction: 'exact' | 'float32';
  readonly layout: VectorLayout;
  /** Null unless the engine was made with one. */
  readonly probe: LayerProbe | null;
  /** Null where the engine can only hand its vectors out. */
  readonly held: HeldSum | null;
  /**
   * Forward and backward pass over one lane's batch. Each slot's value is multiplied by
   * `batch.samples / laneSize` before it is converted, so that lanes can simply be added.
   *
   * @param exponents fixed-point exponent of each slot, shape [slots]
   * @param lanes lanes per global batch: bounds one lane's magnitude to (2^31 - 1) / lanes
   * @param seed stateless seed of this (seed, step, lane), for dropout inside the model
   * @returns a fresh vector of `layout.length` elements
   */
  forwardBackward(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
  ): Int32Array | Float32Array;
  /**
   * The same in parts, one item for each bucket and in their order, each computed when it is asked
   * for: with an item its bucket is complete, with the last one metrics and flags are. The bits are
   * those of `forwardBackward`.
   */
  segments(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
  ): Iterable<readonly VectorPart[]>;
  /** One optimizer update from the reduced vector; also moves the batch-norm moving statistics. */
  apply(reduced: Int32Array | Float32Array, inputs: ApplyInputs): void;
  /** Forward pass in inference mode over one evaluation batch. */
  evaluate(batch: LaneBatch): EvaluationCounts;
  /** Copies parameters and moving statistics out, then optimizer slots under `optimizer/...`. */
  readState(): TensorMap;
  /** Replaces all state. Throws EngineError with code STATE_MISMATCH naming what did not match. */
  writeState(state: TensorMap): void;
  dispose(): void;
}

/** Names in the state that are optimizer slots start with this. */
export const OPTIMIZER_PREFIX = 'optimizer/';

/** An engine refused its input or could not compile the model. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
