import { queryObjects } from 'node:v8';
import * as tf from '@tensorflow/tfjs';
import { nodeBackend } from '../tensorflow.js';

/** How much of what was made so far is still there. TensorFlow must be loaded. */
export function numKept(): { tensors: number; nativeTensors: number; layers: number } {
  return {
    tensors: tf.memory().numTensors,
    nativeTensors: nodeBackend().binding.getNumOfTensors(),
    // Collects garbage first.
    layers: queryObjects(tf.layers.Layer, { format: 'count' }),
  };
}
