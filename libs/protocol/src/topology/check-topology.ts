import { layerShape, show, ShapeProblem, sizeOf, type SampleShape } from './layer-shapes.js';
import { IMAGES, placedLayers, type Topology } from './topology.js';

/** Values of all parameters: 1 GiB of float32. */
export const MAX_PARAMETERS = 2 ** 28;
/** Values of all layers' outputs for one sample: 256 MiB of float32. */
export const MAX_ACTIVATIONS = 2 ** 26;

export interface TopologyProblem {
  /** Below the topology. */
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

/**
 * What does not fit in a topology: its layers to one another, its input to the images, its output to
 * the classes, its size to the limits. A layer whose input is unknown because of another problem is
 * not judged.
 */
export function checkTopology(
  topology: Topology,
  images: SampleShape,
  numClasses: number,
): TopologyProblem[] {
  const problems: TopologyProblem[] = [];
  const shapes = new Map<string, SampleShape>([[IMAGES, images]]);
  const { layers, output } = placedLayers(topology);
  let numParameters = 0;
  let numActivations = 0;
  for (const placed of layers) {
    const { index, name, layer, inputs } = placed;
    const path = ['config', 'layers', index];
    const given = layer.class_name === 'InputLayer' ? [images] : inputs.map((i) => shapes.get(i));
    if (!isKnown(given)) continue;
    const declared = layer.config.batch_input_shape?.slice(1) ?? [];
    const [input = []] = given;
    if (
      declared.length > 0 &&
      (declared.length !== input.length ||
        declared.some((size, place) => size !== null && size !== input[place]))
    ) {
      const expected = `[null, ${input.join(', ')}], the shape of the images, or none`;
      problems.push({ path: [...path, 'config', 'batch_input_shape'], expected });
    }
    try {
      const { shape, numParameters: added } = layerShape(placed, given);
      shapes.set(name, shape);
      numParameters += added;
      numActivations += sizeOf(shape);
    } catch (error) {
      if (!(error instanceof ShapeProblem)) throw error;
      const expected = `${error.expected} (layer ${name}, ${layer.class_name})`;
      // A sequential model does not write down its layers' inputs.
      const isImplicit = error.path[0] === 'inbound_nodes' && layer.inbound_nodes === undefined;
      const field = isImplicit ? ['class_name'] : error.path;
      problems.push({ path: [...path, ...field], expected });
    }
  }
  const yielded = shapes.get(output);
  const last = layers.findIndex(({ name }) => name === output);
  if (yielded !== undefined && (yielded.length !== 1 || yielded[0] !== numClasses)) {
    const expected =
      `an output of [${numClasses}], the classes of the data set; ` +
      `layer ${output} yields ${show(yielded)}`;
    const isDense = layers[last]?.layer.class_name === 'Dense';
    const field = isDense ? ['config', 'units'] : ['class_name'];
    problems.push({ path: ['config', 'layers', last, ...field], expected });
  }
  if (numParameters === 0) {
    problems.push({ path: ['config', 'layers'], expected: 'at least one layer with parameters' });
  }
  if (numParameters > MAX_PARAMETERS) {
    const expected = `at most ${MAX_PARAMETERS} parameters; this model has ${numParameters}`;
    problems.push({ path: ['config', 'layers'], expected });
  }
  if (numActivations > MAX_ACTIVATIONS) {
    const expected = `at most ${MAX_ACTIVATIONS} values in all outputs for one image; this model has ${numActivations}`;
    problems.push({ path: ['config', 'layers'], expected });
  }
  return problems;
}

function isKnown(shapes: readonly (SampleShape | undefined)[]): shapes is SampleShape[] {
  return shapes.every((shape) => shape !== undefined);
}
