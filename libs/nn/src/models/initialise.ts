import { PhiloxStream, type Initializer } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { hashName } from '../name-hash.js';
import type { Parameter } from './trainable-model.js';

/** First stream number of initial weights: no other purpose shares a block with them. */
const STREAM_KIND = 0x494e_4954;

type Weight = Pick<Parameter, 'name' | 'variable'>;

/**
 * Standard deviation of a kernel's initial weights. Convolutions, each before a relu: He et al.
 * 2015, "Delving Deep into Rectifiers", equation 14, sqrt(2 / fan-out), as torchvision has it. The
 * classifier, which no relu follows: sqrt(1 / fan-in).
 */
function standardDeviation(shape: readonly number[]): number {
  if (shape.length === 2) return Math.sqrt(1 / (shape[0] ?? 1));
  const [height = 1, width = 1, , filters = 1] = shape;
  return Math.sqrt(2 / (height * width * filters));
}

/**
 * Sets the kernels of a model to normal random numbers, each a pure function of `seed`, the
 * parameter's name and the place in it. Scales, offsets and biases keep their ones and zeros.
 */
export function initialise(parameters: readonly Weight[], seed: number): void {
  for (const weight of parameters) {
    if (weight.variable.rank < 2) continue;
    const deviation = standardDeviation(weight.variable.shape);
    fill(weight, seed, (stream) => stream.nextNormal() * deviation);
  }
}

/**
 * The same as an initializer of a topology says. Fans are Keras's: for a kernel [height, width,
 * inputs, outputs] the fan-in is height * width * inputs. A truncated normal is drawn again beyond
 * two standard deviations; of a variance scaling it has the variance asked for after that.
 */
export function initialiseBy(weight: Weight, initializer: Initializer, seed: number): void {
  const draw = drawOf(initializer, weight.variable.shape);
  fill(weight, seed, draw);
}

type Draw = (stream: PhiloxStream) => number;

/** Standard deviation of a standard normal that is cut off at -2 and 2. */
const TRUNCATED_DEVIATION = 0.879_625_661_034_239_8;

const normal =
  (mean: number, deviation: number): Draw =>
  (stream) =>
    mean + deviation * stream.nextNormal();
const uniform =
  (low: number, high: number): Draw =>
  (stream) =>
    low + (high - low) * stream.nextFloat();
const truncatedNormal =
  (mean: number, deviation: number): Draw =>
  (stream) => {
    for (;;) {
      const value = stream.nextNormal();
      if (Math.abs(value) <= 2) return mean + deviation * value;
    }
  };

/** `[scale, mode, distribution]` of the named variance scalings. */
const named = {
  GlorotNormal: [1, 'fan_avg', 'normal'],
  GlorotUniform: [1, 'fan_avg', 'uniform'],
  HeNormal: [2, 'fan_in', 'normal'],
  HeUniform: [2, 'fan_in', 'uniform'],
  LeCunNormal: [1, 'fan_in', 'normal'],
  LeCunUniform: [1, 'fan_in', 'uniform'],
  LecunNormal: [1, 'fan_in', 'normal'],
  LecunUniform: [1, 'fan_in', 'uniform'],
} as const;

function drawOf(initializer: Initializer, shape: readonly number[]): Draw {
  switch (initializer.class_name) {
    case 'Zeros':
      return () => 0;
    case 'Ones':
      return () => 1;
    case 'Constant': {
      const { value } = initializer.config;
      return () => value;
    }
    case 'RandomNormal':
      return normal(initializer.config.mean, initializer.config.stddev);
    case 'TruncatedNormal':
      return truncatedNormal(initializer.config.mean, initializer.config.stddev);
    case 'RandomUniform':
      return uniform(initializer.config.minval, initializer.config.maxval);
    case 'VarianceScaling': {
      const { scale, mode, distribution } = initializer.config;
      return varianceScaling(scale / fanOf(shape, mode), distribution);
    }
    default: {
      const [scale, mode, distribution] = named[initializer.class_name];
      return varianceScaling(scale / fanOf(shape, mode), distribution);
    }
  }
}

type Scaling = Extract<Initializer, { class_name: 'VarianceScaling' }>['config'];

function varianceScaling(variance: number, distribution: Scaling['distribution']): Draw {
  switch (distribution) {
    case 'normal':
    case 'truncated_normal':
      return truncatedNormal(0, Math.sqrt(variance) / TRUNCATED_DEVIATION);
    case 'untruncated_normal':
      return normal(0, Math.sqrt(variance));
    case 'uniform': {
      const limit = Math.sqrt(3 * variance);
      return uniform(-limit, limit);
    }
  }
}

function fanOf(shape: readonly number[], mode: Scaling['mode']): number {
  const [inputs = 1, outputs = 1] = shape.length < 2 ? [shape[0], shape[0]] : shape.slice(-2);
  const receptive = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const [fanIn, fanOut] = [receptive * inputs, receptive * outputs];
  if (mode === 'fan_avg') return (fanIn + fanOut) / 2;
  return mode === 'fan_in' ? fanIn : fanOut;
}

function fill({ name, variable }: Weight, seed: number, draw: Draw): void {
  const stream = new PhiloxStream(seed, STREAM_KIND, ...hashName(name));
  const weights = new Float32Array(variable.size);
  for (let index = 0; index < weights.length; index++) weights[index] = draw(stream);
  tf.tidy(() => variable.assign(tf.tensor(weights, variable.shape, 'float32')));
}
