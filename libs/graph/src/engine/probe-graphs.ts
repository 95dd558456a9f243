import { EngineError, type VectorLayout } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';
import { meansOf } from './apply-graph.js';
import type { ActivationGraph, NormGraph } from './layer-probe.js';
import { normOf } from './optimizers.js';
import { recordBatch, type RecordOptions } from './record-lane.js';

/**
 * Records a forward pass as in training, and mean and variance of the outputs of the named layers.
 * It has nodes of its own: none of training's is used by, or made for, a statistic.
 */
export function recordActivations(
  options: RecordOptions,
  layerNames: readonly string[],
): ActivationGraph {
  const outputs = new Map<string, tf.Tensor>();
  const watched = options.model.model.layers.filter(({ name }) => layerNames.includes(name));
  const release = watched.map((layer) =>
    watchOutput(layer, (output) => {
      outputs.get(layer.name)?.dispose();
      outputs.set(layer.name, output);
    }),
  );
  try {
    return recordBatch(options, ({ recorder, images, seed, inputs }) => {
      options.model.forwardTraining(images, seed);
      const moments = layerNames.map((name) => {
        const output = outputs.get(name);
        if (output === undefined) {
          throw new EngineError('MODEL_INVALID', `layer ${name} yields no output`);
        }
        const { mean, variance } = tf.moments(output);
        return { mean, variance };
      });
      return {
        images: inputs.images,
        seed: inputs.seed,
        mean: recorder.outputOf(tf.stack(moments.map(({ mean }) => mean))),
        variance: recorder.outputOf(tf.stack(moments.map(({ variance }) => variance))),
      };
    });
  } finally {
    for (const restore of release) restore();
    tf.dispose([...outputs.values()]);
  }
}

/** Keeps what a layer yields; returns how to stop it. */
function watchOutput(layer: tf.layers.Layer, onOutput: (output: tf.Tensor) => void): () => void {
  const call = layer.call.bind(layer);
  const own = Object.getOwnPropertyDescriptor(layer, 'call');
  layer.call = (...inputs) => {
    const outputs = call(...inputs);
    const [first] = Array.isArray(outputs) ? outputs : [outputs];
    if (first !== undefined) onOutput(tf.keep(first.clone()));
    return outputs;
  };
  return () => {
    if (own === undefined) Reflect.deleteProperty(layer, 'call');
    else Object.defineProperty(layer, 'call', own);
  };
}

/**
 * Adds the norms of the layers' gradients and parameters; `parameters` are the names by layer, and
 * `variableOf` names what training moves for each.
 */
export function buildNorms(
  g: GraphBuilder,
  variables: VariableSet,
  variableOf: RecordOptions['variableOf'],
  layout: VectorLayout,
  parameters: readonly (readonly string[])[],
  dtype: number,
): NormGraph {
  const { float32 } = DataType;
  const reduced = g.placeholder('probe/reduced', dtype, [layout.length]);
  const scales = g.placeholder('probe/scales', float32, [layout.slots.length]);
  const means = meansOf(g, layout, { reduced, scales }, dtype);
  const gradientOf = new Map<string, Output>();
  layout.slots.forEach(({ name, kind }, index) => {
    if (kind === 'gradient') gradientOf.set(name, means[index] ?? '');
  });
  const norms = (values: (name: string) => Output): Output =>
    g.pack(
      parameters.map((names) => normOf(g, names.map(values))),
      float32,
    );
  return {
    reduced,
    scales,
    gradient: norms((name) => gradientOf.get(name) ?? ''),
    weight: norms((name) => g.flatten(variables.read(variableOf(name)), variables.shape(name))),
  };
}
