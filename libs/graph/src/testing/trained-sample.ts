import { buildModel, registerFusedKernels } from '@skipring/nn';
import type { ModelCard, ModelSpec } from '@skipring/protocol';
import { PhiloxStream } from '@skipring/protocol';
import type { TensorMap } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import type { TrainedModel } from '../export/trained-model.js';

const IMAGE = { height: 32, width: 32, channels: 3 } as const;
const STATISTICS = { mean: [0.48, 0.45, 0.4], standardDeviation: [0.22, 0.23, 0.25] };
const CLASSES = ['ant', 'bee', 'cat', 'dog', 'eel'];
const SEED = 17;

export interface TrainedSample extends TrainedModel {
  /** Logits of normalised images, float32 [samples * classes], by the model itself. */
  readonly predict: (normalised: Float32Array) => Float32Array;
}

/** A model whose every tensor differs from its initial value, as training leaves them. */
export function trainedSample(model: ModelSpec): TrainedSample {
  registerFusedKernels();
  const built = buildModel(model, IMAGE, CLASSES.length, SEED);
  const stream = new PhiloxStream(SEED);
  const tensors: TensorMap = new Map(
    [...built.parameters, ...built.movingStatistics].map(({ name, variable }) => {
      const isKernel = variable.rank > 1;
      const spread = isKernel ? 0 : name.endsWith('Variance') ? 0.1 : 0.2;
      const values = Float32Array.from(
        variable.dataSync<'float32'>(),
        (value) => value + spread * (2 * stream.nextFloat() - 1),
      );
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
      return [name, { shape: variable.shape, values }];
    }),
  );
  const card: ModelCard = {
    formatVersion: 1,
    job: 'job-sample',
    modelSha256: '0'.repeat(64),
    model,
    image: { ...IMAGE, ...STATISTICS },
    classes: CLASSES,
  };
  const predict = (normalised: Float32Array): Float32Array =>
    tf.tidy(() => {
      const { height, width, channels } = IMAGE;
      const images = tf.tensor4d(
        normalised,
        [-1 as number, height, width, channels].map((size) =>
          size < 0 ? normalised.length / (height * width * channels) : size,
        ) as [number, number, number, number],
      );
      return built.forwardInference(images).dataSync<'float32'>();
    });
  return { card, tensors, predict };
}

/** Pixel values from 0 to 255 of some images, and the same normalised. */
export function sampleImages(numImages: number): {
  pixels: Float32Array;
  normalised: Float32Array;
} {
  const stream = new PhiloxStream(SEED + 1);
  const length = numImages * IMAGE.height * IMAGE.width * IMAGE.channels;
  const pixels = Float32Array.from({ length }, () => stream.nextBelow(256));
  const { mean, standardDeviation } = STATISTICS;
  const normalised = pixels.map((pixel, index) => {
    const channel = index % IMAGE.channels;
    return (pixel / 255 - (mean[channel] ?? 0)) / (standardDeviation[channel] ?? 1);
  });
  return { pixels, normalised };
}
