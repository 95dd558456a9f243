import type { OpAttribute } from '../binding.js';

type Shape = readonly number[];

/** What an operation is asked to do, without its values. */
export interface Call {
  readonly attributes: readonly OpAttribute[];
  /** Of its inputs, in order. */
  readonly shapes: readonly Shape[];
  /** Values of an input that says how large a result is to be, such as `input_sizes`. */
  readonly integersOf: (input: number) => Shape;
}

/** Shapes of all that an operation yields; null where the rule does not know. */
type Rule = (call: Call) => Shape[] | null;

const like =
  (input: number): Rule =>
  ({ shapes }) => [at(shapes, input)];

const sized =
  (input: number): Rule =>
  ({ integersOf }) => [integersOf(input)];

/** Element by element; null where an input is repeated to the shape of the other. */
const elementwise: Rule = ({ shapes }) => {
  const shape = at(shapes, 0);
  return shapes.every((other) => other.join() === shape.join()) ? [shape] : null;
};

const convolution: Rule = ({ attributes, shapes }) => {
  const value = (name: string): unknown => attributes.find((entry) => entry.name === name)?.value;
  const [samples, height, width] = at(shapes, 0) as [number, number, number];
  const [kernelHeight, kernelWidth, , filters] = at(shapes, 1) as [number, number, number, number];
  const padding = value('padding');
  if (value('data_format') !== 'NHWC' || (padding !== 'SAME' && padding !== 'VALID')) return null;
  const strides = value('strides') as Shape;
  const dilations = (value('dilations') ?? [1, 1, 1, 1]) as Shape;
  const slide = (size: number, kernel: number, dimension: number): number => {
    const reach = padding === 'SAME' ? 0 : (kernel - 1) * at(dilations, dimension);
    return Math.ceil((size - reach) / at(strides, dimension));
  };
  return [[samples, slide(height, kernelHeight, 1), slide(width, kernelWidth, 2), filters]];
};

/** y, then mean, variance and two reserves of each channel, and a reserve that no CPU fills. */
const batchNorm: Rule = ({ shapes }) => {
  const channels = at(shapes, 1);
  return [at(shapes, 0), channels, channels, channels, channels, [0]];
};

/** Gradients of x, scale and offset, and two that are empty in training. */
const batchNormGradient: Rule = ({ shapes }) => {
  const channels = at(shapes, 2);
  return [at(shapes, 1), channels, channels, [0], [0]];
};

const rules: Readonly<Record<string, Rule>> = {
  Conv2D: convolution,
  Conv2DBackpropInput: sized(0),
  Conv2DBackpropFilter: sized(1),
  FusedBatchNormV3: batchNorm,
  FusedBatchNormGradV3: batchNormGradient,
  Identity: like(0),
  Relu: like(0),
  ReluGrad: like(0),
  AddV2: elementwise,
  AddN: elementwise,
  Mul: elementwise,
  Sub: elementwise,
};

/**
 * The shapes of what a costly operation on float32 values yields, so that it need not be run to
 * record it. Null for all others.
 */
export function resultShapes(op: string, call: Call): Shape[] | null {
  return Object.hasOwn(rules, op) ? (rules[op]?.(call) ?? null) : null;
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no value ${index}`);
  return value;
}
