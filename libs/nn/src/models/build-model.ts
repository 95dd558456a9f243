import type { ModelSpec } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../model-error.js';
import { initialise } from './initialise.js';
import { initialiseLayers, layersNetwork } from './layers-model.js';
import { cifarDenseNet, imageNetDenseNet } from './densenet.js';
import type { Symbolic } from './parts.js';
import { cifarResNet, imageNetResNet, wideResNet } from './resnet.js';
import { trainable, type TrainableModel } from './trainable-model.js';

export interface InputShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function expectCount(field: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ModelError(`${field}: ${value}, expected an integer of at least ${least}`);
  }
}

/** From images to logits. */
function network(images: Symbolic, spec: ModelSpec, numClasses: number): Symbolic {
  switch (spec.family) {
    case 'resnet-cifar':
      return cifarResNet(images, spec, numClasses);
    case 'resnet':
      return imageNetResNet(images, spec, numClasses);
    case 'wide-resnet':
      return wideResNet(images, spec, numClasses);
    case 'densenet-cifar':
      return cifarDenseNet(images, spec, numClasses);
    case 'densenet':
      return imageNetDenseNet(images, spec, numClasses);
    case 'layers':
      return layersNetwork(images, spec.topology, numClasses);
  }
}

/**
 * The model of a spec with kernels of zeros.
 * @throws ModelError for an impossible input shape or number of classes
 */
export function emptyModel(spec: ModelSpec, input: InputShape, numClasses: number): TrainableModel {
  const { height, width, channels } = input;
  expectCount('input.height', height, 1);
  expectCount('input.width', width, 1);
  expectCount('input.channels', channels, 1);
  expectCount('numClasses', numClasses, 2);
  const images = tf.input({ shape: [height, width, channels], name: 'images' });
  return trainable(tf.model({ inputs: images, outputs: network(images, spec, numClasses) }));
}

/**
 * Builds the model of a spec with weights that are a pure function of `seed` and their names.
 * @param seed uint32
 * @throws ModelError for an impossible input shape or number of classes, or a topology that does not
 *   fit them, PhiloxError for the seed.
 */
export function buildModel(
  spec: ModelSpec,
  input: InputShape,
  numClasses: number,
  seed: number,
): TrainableModel {
  const model = emptyModel(spec, input, numClasses);
  if (spec.family === 'layers') initialiseLayers(model, spec.topology, seed);
  else initialise(model.parameters, seed);
  return model;
}
