import type { Bucket, VectorLayout, VectorPart } from '@skipring/trainer';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import { NUM_METRICS } from './layout.js';

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
 * The lane's vector in fixed point, `q = round(g * scale)`, in the parts that `partsOf` knows: int32,
 * one for each bucket. A slot with a magnitude over the limit is cut off there and flagged; one with a
 * NaN or an infinity is flagged.
 */
export function exactBuckets(
  g: GraphBuilder,
  layout: VectorLayout,
  lane: LaneOutputs,
  inputs: ExactInputs,
): Output[] {
  const scales = g.unpack(inputs.scales, layout.slots.length, float32);
  return layout.buckets.map((bucket) => {
    const indices = slotsOf(bucket);
    const parts = indices.map((slot) => flatten(g, layout, lane, slot));
    const scaled = parts.map((part, index) => g.binary('Mul', part, at(scales, indices[index])));
    const flat = toFixedPoint(g, g.concat(scaled, float32), inputs.limit);

    const magnitudes = parts.map((part) => g.unary('Abs', part));
    // A sum carries every NaN and infinity on; a maximum need not. Its rounding does not matter here.
    const nonFinite = magnitudes.map((part) => isNonFinite(g, g.reduce('Sum', part)));
    const overflow = magnitudes.map((part, index) => {
      const largest = g.binary('Mul', g.reduce('Max', part), at(scales, indices[index]));
      return toInt(g, g.binary('Greater', largest, inputs.limit));
    });
    if (bucket !== layout.buckets[0]) {
      return g.concat([flat, g.pack([...overflow, ...nonFinite], int32)], int32);
    }
    const lossScale = g.floats([2 ** layout.lossScaleBits], []);
    const loss = toFixedPoint(g, g.binary('Mul', lane.lossSum, lossScale), inputs.limit);
    const metrics = [loss, lane.correct, g.ints([lane.samples], [])];
    const flags = [...overflow, ...nonFinite, isNonFinite(g, lane.lossSum)];
    return g.concat([flat, g.pack([...metrics, ...flags], int32)], int32);
  });
}

/** The lane's vector in floating point, float32, in the same parts; no slot ever overflows. */
export function floatBuckets(
  g: GraphBuilder,
  layout: VectorLayout,
  lane: LaneOutputs,
  laneWeight: number,
): Output[] {
  const flag = (x: Output): Output => g.cast(isNonFinite(g, x), int32, float32);
  return layout.buckets.map((bucket) => {
    const parts = slotsOf(bucket).map((slot) => flatten(g, layout, lane, slot));
    const nonFinite = parts.map((part) => flag(g.reduce('Sum', g.unary('Abs', part))));
    const overflow = parts.map(() => g.floats([0], []));
    const flat = g.binary('Mul', g.concat(parts, float32), g.floats([laneWeight], []));
    if (bucket !== layout.buckets[0]) {
      return g.concat([flat, g.pack([...overflow, ...nonFinite], float32)], float32);
    }
    const correct = g.cast(lane.correct, int32, float32);
    const metrics = [lane.lossSum, correct, g.floats([lane.samples], [])];
    const flags = [...overflow, ...nonFinite, flag(lane.lossSum)];
    return g.concat([flat, g.pack([...metrics, ...flags], float32)], float32);
  });
}

/** Where the values of a bucket's part lie in the lane's vector. */
export function partsOf(
  layout: VectorLayout,
  bucket: Bucket,
  values: Int32Array | Float32Array,
): VectorPart[] {
  const { buckets, metricsOffset, overflowOffset, nonFiniteOffset, slots } = layout;
  // Of a single bucket it is the vector as it is.
  if (buckets.length === 1) return [{ offset: 0, values }];
  const { firstSlot, endSlot, offset, length } = bucket;
  const numSlots = endSlot - firstSlot;
  const isFirst = bucket === buckets[0];
  const places: (readonly [offset: number, length: number])[] = [
    [offset, length],
    ...(isFirst ? [[metricsOffset, NUM_METRICS] as const] : []),
    [overflowOffset + firstSlot, numSlots],
    [nonFiniteOffset + firstSlot, numSlots],
    ...(isFirst ? [[nonFiniteOffset + slots.length, 1] as const] : []),
  ];
  let begin = 0;
  return places.map(([place, count]) => {
    const part = { offset: place, values: values.subarray(begin, begin + count) };
    begin += count;
    return part;
  });
}

function slotsOf({ firstSlot, endSlot }: Bucket): number[] {
  return Array.from({ length: endSlot - firstSlot }, (_, index) => firstSlot + index);
}

function flatten(g: GraphBuilder, layout: VectorLayout, lane: LaneOutputs, slot: number): Output {
  return g.flatten(at(lane.values, slot), layout.slots[slot]?.shape ?? []);
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

function at(outputs: readonly Output[], index = -1): Output {
  const output = outputs[index];
  if (output === undefined) throw new RangeError(`no value for slot ${index}`);
  return output;
}
