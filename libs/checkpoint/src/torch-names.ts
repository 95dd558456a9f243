import type { ModelSpec } from '@skipring/protocol';
import type { TensorData, TensorMap } from '@skipring/trainer';

/** The part of a tensor's name behind its layer's, in both worlds. */
const SUFFIXES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'depthwise.weight',
  pointwise_kernel: 'pointwise.weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  movingMean: 'running_mean',
  movingVariance: 'running_var',
};

type Rule = readonly [own: RegExp, torch: (...groups: string[]) => string];

/** Layers of residual networks, as torchvision's `resnet.py` names them. */
const residual: readonly Rule[] = [
  [/^stem\/conv$/, () => 'conv1'],
  [/^stem\/norm$/, () => 'bn1'],
  [/^stage(\d+)\/block(\d+)\/conv(\d)$/, (s, b, place) => `layer${s}.${b}.conv${place}`],
  [/^stage(\d+)\/block(\d+)\/norm(\d)$/, (s, b, place) => `layer${s}.${b}.bn${place}`],
  [/^stage(\d+)\/block(\d+)\/projection\/conv$/, (s, b) => `layer${s}.${b}.downsample.0`],
  [/^stage(\d+)\/block(\d+)\/projection\/norm$/, (s, b) => `layer${s}.${b}.downsample.1`],
  [/^final\/norm$/, () => 'bn_final'],
  [/^classifier$/, () => 'fc'],
];

/** Layers of densely connected networks, as torchvision's `densenet.py` names them. */
const dense: readonly Rule[] = [
  [/^stem\/conv$/, () => 'features.conv0'],
  [/^stem\/norm$/, () => 'features.norm0'],
  [
    /^dense(\d+)\/layer(\d+)\/(conv|norm)(\d)$/,
    (block, layer, kind, place) =>
      `features.denseblock${block}.denselayer${Number(layer) + 1}.${kind}${place}`,
  ],
  [/^transition(\d+)\/(conv|norm)$/, (block, kind) => `features.transition${block}.${kind}`],
  [/^final\/norm$/, () => 'features.norm5'],
  [/^classifier$/, () => 'classifier'],
];

function rulesOf(family: ModelSpec['family']): readonly Rule[] {
  return family.startsWith('densenet') ? dense : residual;
}

/**
 * A tensor's name in PyTorch: torchvision's where torchvision has the model, else made by the same
 * rules; of a model of layers the layer's own, with what PyTorch calls the tensor. Null for a tensor
 * that they do not cover.
 */
export function torchName(own: string, family: ModelSpec['family']): string | null {
  const slash = own.lastIndexOf('/');
  const suffix = SUFFIXES[own.slice(slash + 1)];
  const layer = own.slice(0, slash);
  if (family === 'layers') return suffix === undefined ? null : `${layer}.${suffix}`;
  for (const [pattern, name] of rulesOf(family)) {
    const match = pattern.exec(layer);
    if (match !== null && suffix !== undefined) return `${name(...match.slice(1))}.${suffix}`;
  }
  return null;
}

/** Kernels: [h, w, in, out] as [out, in, h, w], and [in, out] as [out, in]; all else as it is. */
export function toTorchLayout({ shape, values }: TensorData): TensorData {
  if (shape.length !== 4 && shape.length !== 2) return { shape, values };
  const spatial = shape.slice(0, -2);
  const [inputs = 1, outputs = 1] = shape.slice(-2);
  const numPlaces = spatial.reduce((product, size) => product * size, 1);
  const moved = new Float32Array(values.length);
  for (let place = 0; place < numPlaces; place++) {
    for (let input = 0; input < inputs; input++) {
      const row = (place * inputs + input) * outputs;
      for (let output = 0; output < outputs; output++) {
        moved[(output * inputs + input) * numPlaces + place] = values[row + output] ?? 0;
      }
    }
  }
  return { shape: [outputs, inputs, ...spatial], values: moved };
}

/** The inverse of `toTorchLayout`. */
export function fromTorchLayout({ shape, values }: TensorData): TensorData {
  if (shape.length !== 4 && shape.length !== 2) return { shape, values };
  const [outputs = 1, inputs = 1, ...spatial] = shape;
  const numPlaces = spatial.reduce((product, size) => product * size, 1);
  const moved = new Float32Array(values.length);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const column = (output * inputs + input) * numPlaces;
      for (let place = 0; place < numPlaces; place++) {
        moved[(place * inputs + input) * outputs + output] = values[column + place] ?? 0;
      }
    }
  }
  return { shape: [...spatial, inputs, outputs], values: moved };
}

/** Parameters and moving statistics with PyTorch's names and layouts. */
export function toTorch(tensors: TensorMap, family: ModelSpec['family']): TensorMap {
  return new Map(
    [...tensors].map(([own, { shape, values }]) => {
      const tensor = { shape: isDepthwise(own) ? grouped(shape) : shape, values };
      return [torchName(own, family) ?? own, toTorchLayout(tensor)];
    }),
  );
}

function isDepthwise(own: string): boolean {
  return own.endsWith('/depthwise_kernel');
}

/** [h, w, in, multiplier] as PyTorch has it, a kernel for each output with one input: [h, w, 1, out]. */
function grouped(shape: readonly number[]): number[] {
  const [height = 1, width = 1, inputs = 1, multiplier = 1] = shape;
  return [height, width, 1, inputs * multiplier];
}

/**
 * The inverse of `toTorch`, for tensors of the given own names and shapes.
 * @returns tensors that the file has, by their own names, in the shapes that they have there
 */
export function fromTorch(
  tensors: TensorMap,
  family: ModelSpec['family'],
  ownShapes: ReadonlyMap<string, readonly number[]>,
): TensorMap {
  return new Map(
    [...ownShapes].flatMap(([own, shape]) => {
      const tensor = tensors.get(torchName(own, family) ?? own);
      if (tensor === undefined) return [];
      const moved = fromTorchLayout(tensor);
      const isGrouped = isDepthwise(own) && moved.shape.join() === grouped(shape).join();
      return [[own, isGrouped ? { shape: [...shape], values: moved.values } : moved] as const];
    }),
  );
}
