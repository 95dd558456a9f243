// One training step of TensorFlow.js as it comes: tf.layers and trainOnBatch, on the same native
// binding. Arguments: input shape, batch size, and `default` for TensorFlow's own settings or `tuned`
// for those of the recorded graph.
import { loadTensorFlow } from '@skipring/graph';
import { stockTwin } from '@skipring/graph/testing';
import { buildModel } from '@skipring/nn';
import * as tf from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { NUM_CLASSES, parseShape, randomBatch, RESNET_20 } from '../lib/batch.mjs';
import { serve, timed } from '../lib/side.mjs';

const [shape, samplesText, settings] = process.argv.slice(2);
const inputShape = parseShape(shape);
const samples = Number(samplesText);

if (settings === 'tuned') {
  await loadTensorFlow({ threads: availableParallelism(), device: 'cpu' });
} else {
  process.env.CUDA_VISIBLE_DEVICES = '-1';
  process.env.TF_CPP_MIN_LOG_LEVEL = '2';
  createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
  await tf.ready();
}
const model = await stockTwin(buildModel(RESNET_20, inputShape, NUM_CLASSES, 1));
model.compile({
  optimizer: tf.train.momentum(0.01, 0.9),
  loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits),
});
const batch = randomBatch(inputShape, samples);

serve({}, () =>
  timed(async () => {
    const { height, width, channels } = inputShape;
    const images = tf.tensor4d(batch.images, [samples, height, width, channels]);
    const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(batch.labels, 'int32'), NUM_CLASSES));
    await model.trainOnBatch(images, labels);
    tf.dispose([images, labels]);
  }),
);
