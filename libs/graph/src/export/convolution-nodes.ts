import { attribute } from '../graph-builder.js';
import type { Attributes, Output } from '../graph-def.js';
import { activated } from './activation-nodes.js';
import {
  ints,
  NHWC,
  paddingOf,
  spatial,
  T,
  weight,
  withBias,
  type LayerContext,
  type LayerNodes,
} from './layer-context.js';

/** A pass over windows of [height, width], with the strides and padding of the layer. */
function windows({ config }: LayerContext): Attributes {
  return {
    T,
    strides: ints(spatial(config.strides)),
    dilations: ints(spatial(config.dilationRate)),
    padding: paddingOf(config),
    explicit_paddings: ints([]),
    data_format: NHWC,
  };
}

const convolved = (context: LayerContext, x: Output, kernel: Output, rest?: Attributes): Output => {
  const use_cudnn_on_gpu = attribute.bool(true);
  const attributes = { ...windows(context), use_cudnn_on_gpu, ...rest };
  return context.g.add('Conv2D', [x, kernel], attributes);
};

const depthwise = (context: LayerContext): Output => {
  const inputs = [context.inputs[0] ?? '', weight(context, 'depthwise_kernel')];
  return context.g.add('DepthwiseConv2dNative', inputs, windows(context));
};

const pooled =
  (op: 'MaxPool' | 'AvgPool'): LayerNodes =>
  ({ g, config, inputs }) =>
    g.add(op, [inputs[0] ?? ''], {
      T,
      ksize: ints(spatial(config.poolSize)),
      strides: ints(spatial(config.strides)),
      padding: paddingOf(config),
      data_format: NHWC,
      ...(op === 'MaxPool' ? { explicit_paddings: ints([]) } : {}),
    });

/** Layers that go over an image window by window. */
export const convolutionNodes: Readonly<Record<string, LayerNodes>> = {
  Conv2D: (context) => {
    const y = convolved(context, context.inputs[0] ?? '', weight(context, 'kernel'));
    return activated(context, withBias(context, y));
  },
  DepthwiseConv2D: (context) => activated(context, withBias(context, depthwise(context))),
  SeparableConv2D: (context) => {
    const kernel = weight(context, 'pointwise_kernel');
    const once = { strides: ints([1, 1, 1, 1]), padding: attribute.string('VALID') };
    const y = convolved(context, depthwise(context), kernel, once);
    return activated(context, withBias(context, y));
  },
  MaxPooling2D: pooled('MaxPool'),
  AveragePooling2D: pooled('AvgPool'),
};
