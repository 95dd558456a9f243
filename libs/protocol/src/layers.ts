import { z } from 'zod';

/** Layers of one model that statistics are told of; ResNet-1202 has about 2,400. */
const MAX_LAYERS = 10_000;
/** Entries of a job's history of statistics: a job is refused that would have more. */
export const MAX_LAYER_ENTRIES = 2_000;

export const layerKinds = ['convolution', 'normalization', 'dense', 'other'] as const;

/** A layer that has parameters. */
export const layerSchema = z.strictObject({
  name: z.string().max(200),
  kind: z.enum(layerKinds),
  /** Values that the optimizer moves. */
  numParameters: z.int().min(1),
});
export type Layer = z.output<typeof layerSchema>;

/** One value for each layer, in their order; null where it is not finite. */
const byLayer = z.array(z.number().nullable()).max(MAX_LAYERS);

/** What a committed step found at each layer. All four have the order of the layers. */
export const layerStatisticsSchema = z.strictObject({
  step: z.int().min(1),
  epoch: z.int().min(0),
  /** 2-norm of the reduced gradient, before clipping and weight decay. */
  gradientNorm: byLayer,
  /** 2-norm of the parameters before the step's update. */
  weightNorm: byLayer,
  /** Mean over all values of the layer's output in lane 0. */
  activationMean: byLayer,
  /** Biased variance over all values of the layer's output in lane 0. */
  activationVariance: byLayer,
});
export type LayerStatistics = z.output<typeof layerStatisticsSchema>;

export const layersSchema = z.array(layerSchema).min(1).max(MAX_LAYERS);

/** A job's layers from the input to the output, and what steps found at them, in order. */
export const layerHistorySchema = z.strictObject({
  layers: z.array(layerSchema),
  items: z.array(layerStatisticsSchema),
});
export type LayerHistory = z.output<typeof layerHistorySchema>;
