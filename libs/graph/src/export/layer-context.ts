import { attribute, type GraphBuilder } from '../graph-builder.js';
import { DataType, type Attribute, type Output } from '../graph-def.js';
import { tensorOf, type TrainedModel } from './trained-model.js';

export type Config = Readonly<Record<string, unknown>>;

/** What a layer's nodes are made from. */
export interface LayerContext {
  readonly g: GraphBuilder;
  readonly trained: TrainedModel;
  readonly name: string;
  readonly config: Config;
  readonly inputs: readonly Output[];
  readonly inputChannels: number;
  /** Without the batch dimension. */
  readonly outputShape: readonly number[];
}

/** The nodes of a layer in inference; returns its output. Throws EngineError EXPORT_UNSUPPORTED. */
export type LayerNodes = (context: LayerContext) => Output;

export const T = attribute.type(DataType.float32);
export const index32 = attribute.type(DataType.int32);
export const NHWC = attribute.string('NHWC');
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });

/** The layer's tensor of that name, as a constant. Throws EngineError EXPORT_FAILED. */
export function weight({ g, trained, name }: LayerContext, part: string): Output {
  const { shape, values } = tensorOf(trained, `${name}/${part}`);
  return g.constant(DataType.float32, shape, values);
}

/** A vector over the channels; for a layer that has none, of `otherwise`. */
export function vector(context: LayerContext, part: string, otherwise: number): Output {
  const { g, trained, name, inputChannels } = context;
  if (trained.tensors.has(`${name}/${part}`)) return weight(context, part);
  return g.floats(Array<number>(inputChannels).fill(otherwise), [inputChannels]);
}

export function withBias(context: LayerContext, y: Output): Output {
  if (context.config.useBias !== true) return y;
  return context.g.add('BiasAdd', [y, weight(context, 'bias')], { T, data_format: NHWC });
}

/** Sizes of height and width as those of all four dimensions. */
export function spatial(sizes: unknown): number[] {
  return [1, ...(sizes as [number, number]), 1];
}

export function paddingOf({ padding }: Config): Attribute {
  return attribute.string(padding === 'same' ? 'SAME' : 'VALID');
}

/** Mean or largest value over some dimensions. */
export function reduced(
  g: GraphBuilder,
  op: 'Mean' | 'Max',
  x: Output,
  axes: readonly number[],
  keepDims = false,
): Output {
  const keep_dims = attribute.bool(keepDims);
  return g.add(op, [x, g.ints(axes, [axes.length])], { T, Tidx: index32, keep_dims });
}
