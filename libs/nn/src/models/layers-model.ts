import {
  checkTopology,
  IMAGES,
  placedLayers,
  type Initializer,
  type PlacedLayer,
  type Topology,
} from '@skipring/protocol';
import { ModelError } from '../model-error.js';
import { initialiseBy } from './initialise.js';
import { makeLayer } from './make-layer.js';
import { through, type Symbolic } from './parts.js';
import type { TrainableModel } from './trainable-model.js';

/**
 * The network of a topology, from images to logits. A softmax at its end is left out: the loss is
 * computed from the logits.
 * @throws ModelError naming the layer, what it was given and what was expected
 */
export function layersNetwork(images: Symbolic, topology: Topology, numClasses: number): Symbolic {
  const shape = images.shape.slice(1).map((size) => size ?? 0);
  const [problem] = checkTopology(topology, shape, numClasses);
  if (problem !== undefined) {
    throw new ModelError(`model.topology.${problem.path.join('.')}: expected ${problem.expected}`);
  }
  const { layers, output } = placedLayers(topology);
  const values = new Map<string, Symbolic>([[IMAGES, images]]);
  for (const placed of layers) {
    const { name, inputs } = placed;
    const given = inputs.flatMap((input) => values.get(input) ?? []);
    values.set(name, applied(placed, given, images, name === output));
  }
  const logits = values.get(output);
  if (logits === undefined) throw new ModelError(`output: no layer ${output}, expected one`);
  return logits;
}

function applied(
  { name, layer }: PlacedLayer,
  inputs: readonly Symbolic[],
  images: Symbolic,
  isOutput: boolean,
): Symbolic {
  if (layer.class_name === 'InputLayer') return images;
  const [first] = inputs;
  if (isOutput && first !== undefined) {
    const isSoftmax =
      layer.class_name === 'Softmax' ||
      (layer.class_name === 'Activation' && layer.config.activation === 'softmax');
    if (isSoftmax) return first;
  }
  const isDenseSoftmax = layer.class_name === 'Dense' && layer.config.activation === 'softmax';
  const made =
    isOutput && isDenseSoftmax
      ? makeLayer({ ...layer, config: { ...layer.config, activation: 'linear' } })
      : makeLayer(layer);
  try {
    return through(made, inputs.length > 1 ? [...inputs] : (first ?? images));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`layer ${name} (${layer.class_name}): ${why}`, { cause });
  }
}

/** Keras's own where a topology names none. */
const defaults: Readonly<Record<string, Initializer>> = {
  kernel: { class_name: 'GlorotUniform' },
  depthwise: { class_name: 'GlorotUniform' },
  pointwise: { class_name: 'GlorotUniform' },
  bias: { class_name: 'Zeros' },
  beta: { class_name: 'Zeros' },
  gamma: { class_name: 'Ones' },
  moving_mean: { class_name: 'Zeros' },
  moving_variance: { class_name: 'Ones' },
};

/** Sets all weights as the topology's initializers say, from `seed` and the weights' names. */
export function initialiseLayers(model: TrainableModel, topology: Topology, seed: number): void {
  const configs = new Map(
    placedLayers(topology).layers.map(({ name, layer }) => [name, layer.config]),
  );
  for (const weight of [...model.parameters, ...model.movingStatistics]) {
    const end = weight.name.lastIndexOf('/');
    const config = configs.get(weight.name.slice(0, end)) ?? {};
    const kind = kindOf(weight.name.slice(end + 1));
    const given = (config as Record<string, unknown>)[`${kind}_initializer`];
    const initializer = (given as Initializer | undefined) ?? defaults[kind];
    if (initializer !== undefined) initialiseBy(weight, initializer, seed);
  }
}

/** `depthwise_kernel` is initialised by `depthwise_initializer`, `movingMean` by `moving_mean_...`. */
function kindOf(weight: string): string {
  return weight.replace(/_kernel$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
