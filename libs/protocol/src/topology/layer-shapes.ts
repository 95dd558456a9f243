import type { PlacedLayer } from './topology.js';
import type { TopologyLayer } from './layer-schemas.js';

/** Sizes of one sample: [height, width, channels], or [features]. */
export type SampleShape = readonly number[];

/** What a layer cannot do with its inputs. */
export class ShapeProblem extends Error {
  constructor(
    /** Below the layer in its topology. */
    readonly path: readonly (string | number)[],
    readonly expected: string,
  ) {
    super(expected);
  }
}

type Of<C extends TopologyLayer['class_name']> = Extract<TopologyLayer, { class_name: C }>;
type Pair = readonly [number, number];

/** One number for height and width, or both. */
export function pairOf(value: number | readonly number[]): Pair {
  if (typeof value === 'number') return [value, value];
  const [height = 0, width = 0] = value;
  return [height, width];
}

/** [[top, bottom], [left, right]] */
export function marginsOf(
  value: number | readonly (number | readonly number[])[],
): readonly [Pair, Pair] {
  const [vertical = 0, horizontal = 0] = typeof value === 'number' ? [value, value] : value;
  return [pairOf(vertical), pairOf(horizontal)];
}

/**
 * Shape of the layer's output for one sample, and how many values its parameters have.
 * @throws ShapeProblem
 */
export function layerShape(
  { layer }: PlacedLayer,
  inputs: readonly SampleShape[],
): { shape: SampleShape; numParameters: number } {
  const input = inputs[0] ?? [];
  const without = (shape: SampleShape) => ({ shape, numParameters: 0 });
  switch (layer.class_name) {
    case 'InputLayer':
      return without(input);
    case 'Conv2D':
    case 'DepthwiseConv2D':
    case 'SeparableConv2D':
      return convolved(layer, input);
    case 'Dense': {
      const { units, use_bias } = layer.config;
      const numInputs = input.at(-1) ?? 0;
      const numParameters = numInputs * units + (use_bias ? units : 0);
      return { shape: [...input.slice(0, -1), units], numParameters };
    }
    case 'BatchNormalization':
      return normalised(layer, input, 2);
    case 'LayerNormalization':
      return normalised(layer, input, 0);
    case 'Activation':
      if (layer.config.activation === 'softmax') requireVector(input);
      return without(input);
    case 'Softmax':
      requireVector(input);
      return without(input);
    case 'ReLU':
    case 'LeakyReLU':
    case 'ELU':
    case 'Dropout':
      return without(input);
    case 'MaxPooling2D':
    case 'AveragePooling2D': {
      const { pool_size, strides, padding } = layer.config;
      const [height, width, channels] = image(input);
      const steps = strides ?? pool_size;
      return without([...windows([height, width], pool_size, steps, padding), channels]);
    }
    case 'GlobalMaxPooling2D':
    case 'GlobalAveragePooling2D':
      return without([image(input)[2]]);
    case 'ZeroPadding2D':
    case 'Cropping2D':
      return without(margined(layer, input));
    case 'UpSampling2D': {
      const [height, width, channels] = image(input);
      const [vertical, horizontal] = pairOf(layer.config.size);
      return without([height * vertical, width * horizontal, channels]);
    }
    case 'Flatten':
      return without([sizeOf(input)]);
    case 'Reshape': {
      const { target_shape } = layer.config;
      if (sizeOf(target_shape) !== sizeOf(input)) {
        const expected = `${sizeOf(input)} values in all, as its input of ${show(input)} has`;
        throw new ShapeProblem(['config', 'target_shape'], expected);
      }
      return without(target_shape);
    }
    case 'Permute': {
      const { dims } = layer.config;
      const isPermutation = [...dims].sort().every((dim, place) => dim === place + 1);
      if (dims.length !== input.length || !isPermutation) {
        const expected = `a permutation of 1 to ${input.length}, for its input of ${show(input)}`;
        throw new ShapeProblem(['config', 'dims'], expected);
      }
      return without(dims.map((dim) => input[dim - 1] ?? 0));
    }
    case 'Concatenate':
      return without(concatenated(layer, inputs));
    case 'Add':
    case 'Multiply':
    case 'Average':
    case 'Maximum':
    case 'Minimum': {
      if (inputs.some((shape) => shape.join() !== input.join())) {
        throw new ShapeProblem(['inbound_nodes'], `inputs of one shape, not ${showAll(inputs)}`);
      }
      return without(input);
    }
  }
}

function convolved(
  layer: Of<'Conv2D' | 'DepthwiseConv2D' | 'SeparableConv2D'>,
  input: SampleShape,
): { shape: SampleShape; numParameters: number } {
  const { kernel_size, strides, padding, use_bias } = layer.config;
  const [height, width, channels] = image(input);
  const size = windows([height, width], kernel_size, strides, padding);
  const kernel = sizeOf(pairOf(kernel_size));
  const multiplied =
    layer.class_name === 'Conv2D' ? channels : channels * layer.config.depth_multiplier;
  const filters = layer.class_name === 'DepthwiseConv2D' ? multiplied : layer.config.filters;
  const numWeights = {
    Conv2D: kernel * channels * filters,
    DepthwiseConv2D: kernel * multiplied,
    SeparableConv2D: kernel * multiplied + multiplied * filters,
  }[layer.class_name];
  return { shape: [...size, filters], numParameters: numWeights + (use_bias ? filters : 0) };
}

function normalised(
  { config }: Of<'BatchNormalization' | 'LayerNormalization'>,
  input: SampleShape,
  numMoving: number,
): { shape: SampleShape; numParameters: number } {
  const [axis = -1] = [config.axis].flat();
  if (axis !== -1 && axis !== input.length) {
    throw new ShapeProblem(['config', 'axis'], `-1 or ${input.length}: the channels`);
  }
  if (numMoving > 0 && input.length === 2) {
    throw new ShapeProblem(['inbound_nodes'], `an image or a vector, not ${show(input)}`);
  }
  const numTensors = numMoving + (config.center ? 1 : 0) + (config.scale ? 1 : 0);
  return { shape: input, numParameters: (input.at(-1) ?? 0) * numTensors };
}

function margined(
  layer: Of<'ZeroPadding2D' | 'Cropping2D'>,
  input: SampleShape,
): readonly number[] {
  const [height, width, channels] = image(input);
  const isPadding = layer.class_name === 'ZeroPadding2D';
  const margins = marginsOf(isPadding ? layer.config.padding : layer.config.cropping);
  const [vertical, horizontal] = margins.map(([before, after]) =>
    isPadding ? before + after : -before - after,
  );
  const size = [height + (vertical ?? 0), width + (horizontal ?? 0)];
  if (size.some((side) => side < 1)) {
    throw new ShapeProblem(['config', 'cropping'], `less than its input of ${show(input)}`);
  }
  return [...size, channels];
}

function concatenated(
  { config: { axis } }: Of<'Concatenate'>,
  inputs: readonly SampleShape[],
): readonly number[] {
  const [input = []] = inputs;
  const place = axis === -1 ? input.length - 1 : axis - 1;
  if (place < 0 || place >= input.length) {
    throw new ShapeProblem(['config', 'axis'], `-1, or 1 to ${input.length}`);
  }
  const others = (shape: SampleShape) => shape.filter((_, index) => index !== place).join();
  if (inputs.some((shape) => shape.length !== input.length || others(shape) !== others(input))) {
    const expected = `inputs that differ along the axis alone, not ${showAll(inputs)}`;
    throw new ShapeProblem(['inbound_nodes'], expected);
  }
  const length = inputs.reduce((sum, shape) => sum + (shape[place] ?? 0), 0);
  return input.map((size, index) => (index === place ? length : size));
}

function windows(
  sides: Pair,
  kernel: number | readonly number[],
  strides: number | readonly number[],
  padding: 'valid' | 'same',
): [number, number] {
  const sizes = pairOf(kernel);
  const steps = pairOf(strides);
  const [height = 0, width = 0] = sides.map((side, index) => {
    const step = steps[index] ?? 1;
    const covered = padding === 'same' ? side : side - (sizes[index] ?? 1) + 1;
    if (covered < 1) {
      const expected = `an input of at least ${sizes.join(' x ')}, not ${sides.join(' x ')}`;
      throw new ShapeProblem(['inbound_nodes'], expected);
    }
    return Math.ceil(covered / step);
  });
  return [height, width];
}

function image(input: SampleShape): readonly [number, number, number] {
  const [height, width, channels] = input;
  if (input.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new ShapeProblem(['inbound_nodes'], `[height, width, channels], not ${show(input)}`);
  }
  return [height, width, channels];
}

function requireVector(input: SampleShape): void {
  if (input.length === 1) return;
  throw new ShapeProblem(['inbound_nodes'], `a vector for softmax, not ${show(input)}`);
}

export function sizeOf(shape: SampleShape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function show(shape: SampleShape): string {
  return `[${shape.join(', ')}]`;
}

function showAll(shapes: readonly SampleShape[]): string {
  return shapes.map(show).join(' and ');
}
