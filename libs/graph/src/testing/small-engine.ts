import { buildModel, registerFusedKernels, type TrainableModel } from '@skipring/nn';
import { PhiloxStream } from '@skipring/protocol';
import type { Engine, LaneBatch } from '@skipring/trainer';
import { compileEngine, type EngineOptions } from '../engine/compile-engine.js';

export const INPUT_SHAPE = { height: 8, width: 8, channels: 3 };
export const NUM_CLASSES = 5;
export const LANE_SIZE = 8;

export function smallModel(): TrainableModel {
  const spec = { family: 'resnet-cifar', depth: 8, shortcuts: true } as const;
  return buildModel(spec, INPUT_SHAPE, NUM_CLASSES, 17);
}

/** An engine for lanes of 8 and 4 samples. TensorFlow must be loaded. */
export function smallEngine(
  spec: Partial<EngineOptions['spec']> = {},
  model: TrainableModel = smallModel(),
  options: Pick<EngineOptions, 'hasProbe' | 'bucketBytes'> = {},
): Engine {
  registerFusedKernels();
  return compileEngine({
    model,
    spec: {
      momentum: 0.9,
      nesterov: false,
      weightDecay: 0,
      labelSmoothing: 0.1,
      reduction: 'exact',
      ...spec,
    },
    trainBatchSizes: [LANE_SIZE, 4],
    evaluationBatchSizes: [LANE_SIZE],
    laneSize: LANE_SIZE,
    numClasses: NUM_CLASSES,
    inputShape: INPUT_SHAPE,
    ...options,
  });
}

/** Normally distributed images and uniform labels, the same for the same seed. */
export function randomBatch(
  seed: number,
  samples = LANE_SIZE,
  { height, width, channels } = INPUT_SHAPE,
): LaneBatch {
  const stream = new PhiloxStream(seed);
  const numValues = samples * height * width * channels;
  return {
    images: Float32Array.from({ length: numValues }, () => stream.nextNormal()),
    labels: Int32Array.from({ length: samples }, () => stream.nextBelow(NUM_CLASSES)),
    samples,
  };
}

/** One exponent for every slot. */
export function exponentsOf(engine: Engine, exponent: number): Int32Array {
  return new Int32Array(engine.layout.slots.length).fill(exponent);
}

/** Trains on one lane of new random samples per step. */
export function train(engine: Engine, numSteps: number): void {
  const exponents = exponentsOf(engine, 20);
  for (let step = 0; step < numSteps; step++) {
    const vector = engine.forwardBackward(randomBatch(step), exponents, 1, step);
    engine.apply(vector, { learningRate: 0.05, step: step + 1, totalWeight: 1, exponents });
  }
}
