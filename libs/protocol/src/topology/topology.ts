import { z } from 'zod';
import { layerName } from './fields.js';
import { layerSchema, type TopologyLayer } from './layer-schemas.js';

export const MAX_LAYERS = 2_000;

const endPoint = z.tuple([layerName, z.literal(0), z.literal(0)]);
/** Keras writes one end point bare, TensorFlow.js in a list. */
const oneEndPoint = z.union([endPoint, z.array(endPoint).length(1)]);
const layers = z.array(layerSchema).min(1).max(MAX_LAYERS);
const origin = {
  keras_version: z.string().max(100).optional(),
  backend: z.string().max(100).optional(),
};
const modelName = z.string().max(200).optional();

const functional = z.strictObject({
  class_name: z.enum(['Model', 'Functional']),
  config: z.strictObject({
    name: modelName,
    trainable: z.literal(true).optional(),
    layers,
    input_layers: oneEndPoint,
    output_layers: oneEndPoint,
  }),
  ...origin,
});

const sequential = z.strictObject({
  class_name: z.literal('Sequential'),
  config: z.strictObject({ name: modelName, trainable: z.literal(true).optional(), layers }),
  ...origin,
});

/**
 * A `tf.layers` model as data: what `model.toJSON()` of TensorFlow.js or `model.to_json()` of Keras 2
 * writes. One input, one output, layers of the allow list, each called once and after its inputs.
 */
export const topologySchema = z
  .discriminatedUnion('class_name', [functional, sequential])
  .superRefine((topology, context) => {
    for (const { path, expected } of structureProblems(topology)) {
      context.addIssue({ code: 'custom', path: [...path], message: `expected ${expected}` });
    }
  });

export type Topology = z.output<typeof topologySchema>;

/** A layer and the layers whose outputs it takes; none for the input layer. */
export interface PlacedLayer {
  /** Place in the topology's list of layers. */
  readonly index: number;
  readonly name: string;
  readonly layer: TopologyLayer;
  readonly inputs: readonly string[];
}

/** Name of the images where a sequential model has no input layer. */
export const IMAGES = '(images)';

/** The layers in order, and the name of the one that yields the model's output. */
export function placedLayers(topology: Topology): {
  layers: readonly PlacedLayer[];
  output: string;
} {
  const { layers } = topology.config;
  if (topology.class_name === 'Sequential') {
    const placed = layers.map((layer, index): PlacedLayer => {
      const before = layers[index - 1]?.config.name ?? IMAGES;
      const inputs = layer.class_name === 'InputLayer' ? [] : [before];
      return { index, name: layer.config.name, layer, inputs };
    });
    return { layers: placed, output: layers.at(-1)?.config.name ?? IMAGES };
  }
  const placed = layers.map((layer, index): PlacedLayer => {
    const inputs = (layer.inbound_nodes?.[0] ?? []).map(([name]) => name);
    return { index, name: layer.config.name, layer, inputs };
  });
  return { layers: placed, output: endPointName(topology.config.output_layers) };
}

function endPointName(endPoint: z.output<typeof oneEndPoint>): string {
  const [first] = endPoint;
  return Array.isArray(first) ? first[0] : String(first);
}

interface StructureProblem {
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

const merging: readonly string[] = [
  'Add',
  'Multiply',
  'Average',
  'Maximum',
  'Minimum',
  'Concatenate',
];

function structureProblems(topology: Topology): StructureProblem[] {
  const problems: StructureProblem[] = [];
  const isSequential = topology.class_name === 'Sequential';
  const known = new Set<string>(isSequential ? [IMAGES] : []);
  const { layers, output } = placedLayers(topology);
  const users = new Map<string, number>();
  for (const { index, name, layer, inputs } of layers) {
    const path = ['config', 'layers', index];
    const tell = (field: readonly (string | number)[], expected: string): void => {
      problems.push({ path: [...path, ...field], expected });
    };
    if (layer.name !== undefined && layer.name !== name) {
      tell(['name'], `the name in its config, ${JSON.stringify(name)}`);
    }
    if (known.has(name)) tell(['config', 'name'], 'a name that no other layer has');
    if (layer.class_name === 'InputLayer') {
      if (index > 0) tell(['class_name'], 'one InputLayer, as the first layer');
      if (inputs.length > 0) tell(['inbound_nodes'], 'no inputs of an InputLayer');
    } else if (inputs.length === 0) {
      tell(['inbound_nodes'], 'the inputs of the layer');
    }
    if (merging.includes(layer.class_name) ? inputs.length < 2 : inputs.length > 1) {
      const expected = merging.includes(layer.class_name) ? 'at least two inputs' : 'one input';
      tell(isSequential ? ['class_name'] : ['inbound_nodes', 0], expected);
    }
    inputs.forEach((input, place) => {
      users.set(input, (users.get(input) ?? 0) + 1);
      if (known.has(input)) return;
      tell(['inbound_nodes', 0, place, 0], 'the name of a layer before this one');
    });
    known.add(name);
  }
  if (!known.has(output)) {
    problems.push({ path: ['config', 'output_layers'], expected: 'the name of a layer' });
  }
  for (const { index, name } of layers) {
    if (name === output || (users.get(name) ?? 0) > 0) continue;
    const path = ['config', 'layers', index];
    problems.push({ path, expected: 'a layer that the output depends on' });
  }
  if (!isSequential) {
    const input = endPointName(topology.config.input_layers);
    if (layers[0]?.layer.class_name !== 'InputLayer' || layers[0].name !== input) {
      const expected = 'the name of an InputLayer that is the first layer';
      problems.push({ path: ['config', 'input_layers'], expected });
    }
  }
  return problems;
}
