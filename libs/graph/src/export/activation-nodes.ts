import { EngineError } from '@skipring/trainer';
import type { GraphBuilder } from '../graph-builder.js';
import type { Output } from '../graph-def.js';
import { T, type LayerContext } from './layer-context.js';

/** By TensorFlow.js's name of it: an operation of the same name, or several. */
const activations: Readonly<Record<string, (g: GraphBuilder, x: Output) => Output>> = {
  linear: (_, x) => x,
  elu: (g, x) => g.unary('Elu', x),
  relu: (g, x) => g.unary('Relu', x),
  relu6: (g, x) => g.unary('Relu6', x),
  selu: (g, x) => g.unary('Selu', x),
  sigmoid: (g, x) => g.unary('Sigmoid', x),
  softmax: (g, x) => g.add('Softmax', [x], { T }),
  softplus: (g, x) => g.unary('Softplus', x),
  softsign: (g, x) => g.unary('Softsign', x),
  tanh: (g, x) => g.unary('Tanh', x),
  hardSigmoid: (g, x) => {
    const line = g.binary('AddV2', g.binary('Mul', x, g.floats([0.2], [])), g.floats([0.5], []));
    return g.binary('Minimum', g.binary('Maximum', line, g.floats([0], [])), g.floats([1], []));
  },
  mish: (g, x) => g.binary('Mul', x, g.unary('Tanh', g.unary('Softplus', x))),
  swish: (g, x) => g.binary('Mul', x, g.unary('Sigmoid', x)),
};

/** The layer's activation of `y`; none where its config names none. Throws EXPORT_UNSUPPORTED. */
export function activated({ g, name, config }: LayerContext, y: Output): Output {
  const kind = (config.activation ?? 'linear') as string;
  const nodes = Object.hasOwn(activations, kind) ? activations[kind] : undefined;
  if (nodes !== undefined) return nodes(g, y);
  throw new EngineError(
    'EXPORT_UNSUPPORTED',
    `layer ${name}: activation ${JSON.stringify(kind)}, ` +
      `expected one of ${Object.keys(activations).join(', ')}`,
  );
}
