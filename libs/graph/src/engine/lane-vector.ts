import type { VectorLayout } from '@skipring/trainer';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';

/** What one lane's forward and backward pass yields in the graph. */
export interface LaneOutputs {
  /** By slot; float32 of the slot's shape. */
  readonly values: readonly Output[];
  /** Sum of the samples' losses, float32 scalar. */
  readonly lossSum: Output;
  /** Samples predicted right, int32 scalar. */
  readonly correct: Output;
  readonly samples: number;
}

/** The graph's inputs of an exact vector. */
export interface ExactInputs {
  /** What each slot is multiplied by: laneWeight * 2^exponent, float32 [slots]. */
  readonly scales: Output;
  /** Largest magnitude of one lane, float32 scalar, a whole number below 2^31 / lanes. */
  readonly limit: Output;
}

const { float32, int32, bool } = DataType;

/**
 * The lane's vector in fixed point, `q = round(g * scale)`, int32 [layout.length]. A slot with a
 * magnitude over the limit is cut off there and flagged; one with a NaN or an infinity is flagged.
 */
export function exactVector(
  g: GraphBuilder,
  layout: VectorLayout,
  lane: LaneOutputs,
  inputs: ExactInputs,
): Output {
  const { slots } = layout;
  const scales = g.unpack(inputs.scales, slots.length, float32);
  const parts = slots.map((slot, index) => flatten(g, lane, slot.length, index));
  const scaled = parts.map((part, index) => g.binary('Mul', part, at(scales, index)));
  const flat = toFixedPoint(g, g.concat(scaled, float32), inputs.limit);

  const magnitudes = parts.map((part) => g.unary('Abs', part));
  // A sum carries every NaN and infinity on; a maximum need not. Its rounding does not matter here.
  const nonFinite = [...magnitudes.map((part) => g.reduce('Sum', part)), lane.lossSum].map((sum) =>
    isNonFinite(g, sum),
  );
  const overflow = magnitudes.map((part, index) => {
    const largest = g.binary('Mul', g.reduce('Max', part), at(scales, index));
    return toInt(g, g.binary('Greater', largest, inputs.limit));
  });
  const lossScale = g.floats([2 ** layout.lossScaleBits], []);
  const loss = toFixedPoint(g, g.binary('Mul', lane.lossSum, lossScale), inputs.limit);
  const metrics = [loss, lane.correct, g.ints([lane.samples], [])];
  return g.concat([flat, g.pack([...metrics, ...overflow, ...nonFinite], int32)], int32);
}

/** The lane's vector in floating point, float32 [layout.length]; no slot ever overflows. */
export function floatVector(
  g: GraphBuilder,
  layout: VectorLayout,
  lane: LaneOutputs,
  laneWeight: number,
): Output {
  const { slots } = layout;
  const parts = slots.map((slot, index) => flatten(g, lane, slot.length, index));
  const sums = [...parts.map((part) => g.reduce('Sum', g.unary('Abs', part))), lane.lossSum];
  const nonFinite = sums.map((sum) => g.cast(isNonFinite(g, sum), int32, float32));
  const overflow = slots.map(() => g.floats([0], []));
  const correct = g.cast(lane.correct, int32, float32);
  const metrics = [lane.lossSum, correct, g.floats([lane.samples], [])];
  const flat = g.binary('Mul', g.concat(parts, float32), g.floats([laneWeight], []));
  return g.concat([flat, g.pack([...metrics, ...overflow, ...nonFinite], float32)], float32);
}

function flatten(g: GraphBuilder, lane: LaneOutputs, length: number, index: number): Output {
  return g.reshape(at(lane.values, index), [length]);
}

function toFixedPoint(g: GraphBuilder, x: Output, limit: Output): Output {
  const rounded = g.unary('Rint', x);
  const above = g.binary('Minimum', rounded, limit);
  return g.cast(g.binary('Maximum', above, g.unary('Neg', limit)), float32, int32);
}

/** 1 where the scalar is a NaN or an infinity, else 0; int32. */
function isNonFinite(g: GraphBuilder, x: Output): Output {
  return toInt(g, g.add('LogicalNot', [g.unary('IsFinite', x)], {}));
}

function toInt(g: GraphBuilder, condition: Output): Output {
  return g.cast(condition, bool, int32);
}

function at(outputs: readonly Output[], index: number): Output {
  const output = outputs[index];
  if (output === undefined) throw new RangeError(`no value for slot ${index}`);
  return output;
}
