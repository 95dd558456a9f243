import { emptyModel } from '@skipring/nn';
import type { ModelCard } from '@skipring/protocol';
import { EngineError, type TensorData, type TensorMap } from '@skipring/trainer';

/** A trained model as it is exported: what its card says, and its tensors by their own names. */
export interface TrainedModel {
  readonly card: ModelCard;
  /** Parameters and moving statistics. */
  readonly tensors: TensorMap;
}

/** Layers of a model, without values; made without the native TensorFlow. */
export type LayerStack = ReturnType<typeof emptyModel>['model'];
export type StackLayer = LayerStack['layers'][number];

export function layerStack({ model, image, classes }: ModelCard): LayerStack {
  return emptyModel(model, image, classes.length).model;
}

/** Throws EngineError EXPORT_FAILED when the tensors are of another model. */
export function tensorOf({ tensors }: TrainedModel, name: string): TensorData {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw new EngineError('EXPORT_FAILED', `the model's file has no tensor ${name}`);
}

/** Names of the layers whose outputs a layer takes, in order. */
export function inputsOf(layer: StackLayer): string[] {
  const [node, ...others] = layer.inboundNodes;
  if (others.length > 0) {
    throw new EngineError('EXPORT_UNSUPPORTED', `layer ${layer.name} is used more than once`);
  }
  return (node?.inboundLayers ?? []).map(({ name }) => name);
}

/** Size of the last dimension of what a layer takes. */
export function inputChannels(layer: StackLayer): number {
  const shapes = layer.inboundNodes[0]?.inputShapes ?? [];
  const [first] = shapes;
  const shape = Array.isArray(first) ? first : (shapes as (number | null)[]);
  return shape.at(-1) ?? 0;
}

/** Shapes of the parameters and moving statistics of a card's model, by their names. */
export function tensorShapes({ model, image, classes }: ModelCard): Map<string, number[]> {
  const { parameters, movingStatistics } = emptyModel(model, image, classes.length);
  const tensors = [...parameters, ...movingStatistics];
  return new Map(tensors.map(({ name, variable }) => [name, variable.shape]));
}
