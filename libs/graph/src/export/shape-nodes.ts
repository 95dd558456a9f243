import { attribute, type GraphBuilder } from '../graph-builder.js';
import type { Output } from '../graph-def.js';
import { index32, T, type LayerNodes } from './layer-context.js';

type Margins = readonly (readonly [number, number])[];

/** A shape of any number of samples. */
export function reshaped(g: GraphBuilder, x: Output, shape: readonly number[]): Output {
  return g.reshape(x, [-1, ...shape]);
}

/** Layers that move values and change none. */
export const shapeNodes: Readonly<Record<string, LayerNodes>> = {
  ZeroPadding2D: ({ g, config, inputs: [x = ''] }) => {
    const [[top, bottom] = [0, 0], [left, right] = [0, 0]] = config.padding as Margins;
    const padding = g.ints([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
    return g.add('Pad', [x, padding], { T, Tpaddings: index32 });
  },
  Cropping2D: ({ g, config, inputs: [x = ''], outputShape }) => {
    const [[top] = [0], [left] = [0]] = config.cropping as Margins;
    const inputs = [x, g.ints([0, top, left, 0], [4]), g.ints([-1, ...outputShape], [4])];
    return g.add('Slice', inputs, { T, Index: index32 });
  },
  UpSampling2D: ({ g, inputs: [x = ''], outputShape }) =>
    g.add('ResizeNearestNeighbor', [x, g.ints(outputShape.slice(0, 2), [2])], {
      T,
      align_corners: attribute.bool(false),
      half_pixel_centers: attribute.bool(false),
    }),
  Permute: ({ g, config, inputs: [x = ''] }) => {
    const order = [0, ...(config.dims as number[])];
    return g.add('Transpose', [x, g.ints(order, [order.length])], { T, Tperm: index32 });
  },
  Flatten: ({ g, inputs: [x = ''], outputShape }) => reshaped(g, x, outputShape),
  Reshape: ({ g, inputs: [x = ''], outputShape }) => reshaped(g, x, outputShape),
  Concatenate: ({ g, config, inputs }) =>
    g.add('ConcatV2', [...inputs, g.ints([(config.axis as number | undefined) ?? -1], [])], {
      N: attribute.int(inputs.length),
      T,
      Tidx: index32,
    }),
  SubsampleShortcut: ({ g, config, inputs: [x = ''], inputChannels: channels }) => {
    const stride = config.stride as number;
    const all = attribute.int(0b1111);
    const none = attribute.int(0);
    const bounds = g.ints([0, 0, 0, 0], [4]);
    const kept = g.add('StridedSlice', [x, bounds, bounds, g.ints([1, stride, stride, 1], [4])], {
      T,
      Index: index32,
      begin_mask: all,
      end_mask: all,
      ellipsis_mask: none,
      new_axis_mask: none,
      shrink_axis_mask: none,
    });
    const numZeros = (config.filters as number) - channels;
    const padding = g.ints([0, 0, 0, 0, 0, 0, 0, numZeros], [4, 2]);
    return g.add('Pad', [kept, padding], { T, Tpaddings: index32 });
  },
};
