import { attribute, GraphBuilder } from '../graph-builder.js';
import { EngineError } from '@skipring/trainer';
import { DataType, type Graph, type Output } from '../graph-def.js';
import { serialiseSavedModel, type Signature } from '../session/serialise.js';
import { layerNodes } from './layer-nodes.js';
import { inputsOf, layerStack, type TrainedModel } from './trained-model.js';

/** Largest protobuf message. */
const MAX_BYTES = 2 ** 31 - 1;

/** A trained model as a graph, and how it is called. */
export interface InferenceGraph {
  readonly nodes: Graph;
  readonly signature: Signature;
}

/**
 * The bytes of a `saved_model.pb`, with the parameters as constants. Signature `serving_default`:
 * `images`, float32 [samples, height, width, channels] of pixel values from 0 to 255, gives `logits`
 * and `probabilities`, float32 [samples, classes]. The normalisation is part of the graph.
 *
 * @throws EngineError EXPORT_UNSUPPORTED, EXPORT_FAILED
 */
export function savedModel(trained: TrainedModel): Uint8Array {
  const { nodes, signature } = inferenceGraph(trained);
  const bytes = serialiseSavedModel(nodes, signature);
  if (bytes.length <= MAX_BYTES) return bytes;
  throw new EngineError(
    'EXPORT_UNSUPPORTED',
    `a SavedModel of ${bytes.length} bytes, expected at most ${MAX_BYTES}`,
  );
}

/** From pixel values to logits and probabilities. Throws as `savedModel` does. */
export function inferenceGraph(trained: TrainedModel): InferenceGraph {
  const { image, classes } = trained.card;
  const g = new GraphBuilder();
  const shape = [-1, image.height, image.width, image.channels];
  const images = g.placeholder('images', DataType.float32, shape);
  const outputs = new Map<string, Output>();
  const stack = layerStack(trained.card);
  for (const layer of stack.layers) {
    const inputs = inputsOf(layer).map((name) => outputs.get(name) ?? '');
    const output =
      layer.getClassName() === 'InputLayer'
        ? normalised(g, images, trained)
        : layerNodes(g, trained, layer, inputs);
    outputs.set(layer.name, output);
  }
  const last = outputs.get(stack.outputNames[0] ?? '') ?? '';
  const T = attribute.type(DataType.float32);
  const logits = g.add('Identity', [last], { T }, 'logits');
  const probabilities = g.add('Softmax', [logits], { T }, 'probabilities');
  const scores = { dtype: DataType.float32, shape: [-1, classes.length] };
  const signature: Signature = {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: { images: { output: images, dtype: DataType.float32, shape } },
    outputs: {
      logits: { output: logits, ...scores },
      probabilities: { output: probabilities, ...scores },
    },
  };
  return { nodes: g.nodes, signature };
}

function normalised(g: GraphBuilder, images: Output, { card }: TrainedModel): Output {
  const { channels, mean, standardDeviation } = card.image;
  const scaled = g.binary('RealDiv', images, g.floats([255], []));
  const centred = g.binary('Sub', scaled, g.floats(mean, [channels]));
  return g.binary('RealDiv', centred, g.floats(standardDeviation, [channels]));
}
