import { registerBatchNorm } from './batch-norm.js';
import { registerLogSoftmax } from './log-softmax.js';
import { registerReductions } from './reductions.js';
import { registerRelu } from './relu.js';
import { registerStatelessUniform } from './stateless-uniform.js';
import { registerStridedSlice } from './strided-slice.js';

let registered = false;

/**
 * Registers kernels and gradients that run as single TensorFlow operations on backend
 * 'tensorflow' (`@tensorflow/tfjs-node-gpu`): batch normalisation in training mode, log-softmax,
 * stateless random numbers, and the gradients of relu, stridedSlice, mean and sum. For the whole process; a second call does
 * nothing. Call it before a model of this library is run.
 */
export function registerFusedKernels(): void {
  if (registered) return;
  registered = true;
  registerBatchNorm();
  registerLogSoftmax();
  registerReductions();
  registerRelu();
  registerStatelessUniform();
  registerStridedSlice();
}
