import { PhiloxStream } from '@skipring/protocol';

export const NUM_CLASSES = 10;
export const RESNET_20 = { family: 'resnet-cifar', depth: 20, shortcuts: true };

/** One batch of random images and labels, the same for all sides. */
export function randomBatch({ height, width, channels }, samples) {
  const stream = new PhiloxStream(1);
  return {
    images: Float32Array.from({ length: samples * height * width * channels }, () =>
      stream.nextNormal(),
    ),
    labels: Int32Array.from({ length: samples }, () => stream.nextBelow(NUM_CLASSES)),
    samples,
  };
}

/** `32x32x3` as numbers. */
export function parseShape(text) {
  const [height, width, channels] = text.split('x').map(Number);
  return { height, width, channels };
}
