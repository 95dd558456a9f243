import { EngineError, OPTIMIZER_PREFIX } from '../engine.js';
import type {
  ApplyInputs,
  Engine,
  EvaluationCounts,
  HeldSum,
  LaneBatch,
  LayerProbe,
  TensorData,
  TensorMap,
  VectorLayout,
  VectorPart,
} from '../engine.js';
import { maximaOf } from '../reduced-vector.js';
import { convert, layoutOf } from './arithmetic-vector.js';
import { classProbabilities } from './softmax.js';

export interface ArithmeticEngineOptions {
  /** Values of one image: height * width * channels. */
  readonly numFeatures: number;
  readonly numClasses: number;
  readonly laneSize: number;
  readonly seed: number;
  readonly reduction?: 'exact' | 'float32';
  readonly momentum?: number;
  /** Into how many the vector is cut; default 1, and then sums may stay in the engine. */
  readonly numBuckets?: 1 | 2;
}

const MOVING_AVERAGE = 0.9;
const KERNEL = 'dense/kernel';
const BIAS = 'dense/bias';
const MEAN = 'input/moving_mean';

/**
 * Softmax regression in plain arithmetic, with momentum and a moving mean of its inputs: an Engine
 * whose bits are those of the language, for tests of the loop and of a cluster without TensorFlow.
 */
export class ArithmeticEngine implements Engine {
  readonly reduction: 'exact' | 'float32';
  readonly layout: VectorLayout;
  readonly held: HeldSum | null;
  private readonly momentum: number;
  private state: Map<string, TensorData>;

  constructor(private readonly options: ArithmeticEngineOptions) {
    const { numFeatures, numClasses } = options;
    this.reduction = options.reduction ?? 'exact';
    this.momentum = options.momentum ?? 0.9;
    const tensors = [
      { name: KERNEL, kind: 'gradient', shape: [numFeatures, numClasses] },
      { name: BIAS, kind: 'gradient', shape: [numClasses] },
      { name: MEAN, kind: 'batchMean', shape: [numFeatures] },
    ] as const;
    this.layout = layoutOf(tensors, options.numBuckets);
    this.state = new Map(tensors.map(({ name, shape }) => [name, zeros(shape)]));
    for (const name of [KERNEL, BIAS]) {
      this.state.set(`${OPTIMIZER_PREFIX}${name}`, zeros(this.tensor(name).shape));
    }
    this.held = options.numBuckets === 2 ? null : this.heldSum();
    const kernel = this.tensor(KERNEL).values;
    for (let i = 0; i < kernel.length; i++) kernel[i] = 0.01 * Math.sin(options.seed + i);
  }

  forwardBackward(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
  ): Int32Array | Float32Array {
    const { numFeatures, numClasses, laneSize } = this.options;
    const values = new Float64Array(this.layout.length);
    const [kernel, bias, mean] = this.layout.slots.map(({ offset }) => offset);
    let lossSum = 0;
    let correct = 0;
    for (let sample = 0; sample < batch.samples; sample++) {
      const { probabilities, label, features } = this.forward(batch, sample);
      lossSum -= Math.log(probabilities[label]!);
      correct += argMax(probabilities) === label ? 1 : 0;
      for (let c = 0; c < numClasses; c++) {
        const error = (probabilities[c]! - (c === label ? 1 : 0)) / laneSize;
        values[bias! + c]! += error;
        for (let f = 0; f < numFeatures; f++) {
          values[kernel! + f * numClasses + c]! += features[f]! * error;
        }
      }
      for (let f = 0; f < numFeatures; f++) values[mean! + f]! += features[f]! / laneSize;
    }
    values.set([lossSum, correct, batch.samples], this.layout.metricsOffset);
    return convert(values, this.layout, this.reduction, exponents, lanes);
  }

  *segments(batch: LaneBatch, exponents: Int32Array, lanes: number): Generator<VectorPart[], void> {
    const vector = this.forwardBackward(batch, exponents, lanes);
    const { buckets, metricsOffset } = this.layout;
    for (const bucket of buckets) {
      const { offset, length } = bucket;
      const part = { offset, values: vector.subarray(offset, offset + length) };
      const tail = { offset: metricsOffset, values: vector.subarray(metricsOffset) };
      yield bucket === buckets.at(-1) ? [part, tail] : [part];
    }
  }

  /** Of its one layer: the activations are the class probabilities. */
  readonly probe: LayerProbe = {
    layers: [{ name: 'dense', kind: 'dense', numParameters: 1 }],
    activations: (batch) => {
      const values = Array.from({ length: batch.samples }, (_, sample) => [
        ...this.forward(batch, sample).probabilities,
      ]).flat();
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return { mean: Float32Array.of(mean), variance: Float32Array.of(squares / values.length) };
    },
    norms: (reduced, { totalWeight, exponents }) => {
      const slots = this.layout.slots.slice(0, 2);
      const gradient = slots.flatMap(({ offset, length }, slot) => {
        const scale = (this.reduction === 'exact' ? 2 ** -exponents[slot]! : 1) / totalWeight;
        return Array.from(reduced.subarray(offset, offset + length), (value) => value * scale);
      });
      const weight = slots.flatMap(({ name }) => [...this.tensor(name).values]);
      return {
        gradient: Float32Array.of(Math.hypot(...gradient)),
        weight: Float32Array.of(Math.hypot(...weight)),
      };
    },
  };

  apply(reduced: Int32Array | Float32Array, inputs: ApplyInputs): void {
    this.layout.slots.forEach(({ name, kind, offset, length }, slot) => {
      const scale = this.reduction === 'exact' ? 2 ** -inputs.exponents[slot]! : 1;
      const { values } = this.tensor(name);
      const velocity =
        kind === 'gradient' ? this.tensor(`${OPTIMIZER_PREFIX}${name}`).values : null;
      for (let i = 0; i < length; i++) {
        const mean = (reduced[offset + i]! * scale) / inputs.totalWeight;
        if (velocity === null) {
          values[i] = values[i]! * MOVING_AVERAGE + mean * (1 - MOVING_AVERAGE);
        } else {
          velocity[i] = velocity[i]! * this.momentum + mean;
          values[i]! -= inputs.learningRate * velocity[i]!;
        }
      }
    });
  }

  evaluate(batch: LaneBatch): EvaluationCounts {
    const { numClasses } = this.options;
    const confusion = new Int32Array(numClasses * numClasses);
    const losses = new Float32Array(batch.samples);
    const predicted = new Int32Array(batch.samples);
    let lossSum = 0;
    for (let sample = 0; sample < batch.samples; sample++) {
      const { probabilities, label } = this.forward(batch, sample);
      const guess = argMax(probabilities);
      predicted[sample] = guess;
      confusion[label * numClasses + guess]! += 1;
      losses[sample] = -Math.log(probabilities[label]!);
      lossSum += Math.round(-Math.log(probabilities[label]!) * 2 ** this.layout.lossScaleBits);
    }
    return { confusion, lossSum, samples: batch.samples, losses, predicted };
  }

  readState(): TensorMap {
    return new Map(
      [...this.state].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
    );
  }

  writeState(state: TensorMap): void {
    for (const [name, { shape }] of this.state) {
      const given = state.get(name)?.shape.join();
      if (given !== shape.join() || state.size !== this.state.size) {
        const found = given === undefined ? 'no tensor' : `shape [${given}]`;
        const message = `${name}: ${found} among ${state.size} tensors; expected [${shape.join()}]`;
        throw new EngineError('STATE_MISMATCH', message);
      }
    }
    this.state = new Map(
      [...state].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
    );
  }

  dispose(): void {
    this.state.clear();
  }

  private heldSum(): HeldSum {
    let sum: Int32Array | Float32Array = new Int32Array();
    return {
      add: (batch, exponents, lanes, _seed, isFirst) => {
        const vector = this.forwardBackward(batch, exponents, lanes);
        if (!isFirst) vector.forEach((value, i) => (vector[i] = sum[i]! + value));
        sum = vector;
        const isExact = this.reduction === 'exact';
        const maxima = isExact ? Int32Array.from(maximaOf(sum, this.layout)) : new Int32Array();
        return { tail: sum.slice(this.layout.metricsOffset), maxima };
      },
      apply: (inputs) => {
        this.apply(sum, inputs);
      },
    };
  }

  private tensor(name: string): TensorData {
    const tensor = this.state.get(name);
    if (tensor === undefined) throw new EngineError('DISPOSED', `${name}: the engine is disposed`);
    return tensor;
  }

  private forward(
    { images, labels }: LaneBatch,
    sample: number,
  ): { probabilities: Float64Array; label: number; features: Float32Array } {
    const { numFeatures } = this.options;
    const features = images.subarray(sample * numFeatures, (sample + 1) * numFeatures);
    const kernel = this.tensor(KERNEL).values;
    const probabilities = classProbabilities(features, kernel, this.tensor(BIAS).values);
    return { probabilities, label: labels[sample]!, features };
  }
}

function zeros(shape: readonly number[]): TensorData {
  return { shape, values: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

function argMax(values: Float64Array): number {
  return values.indexOf(Math.max(...values));
}
