import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { EngineError } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import type { NodeBackend } from './binding.js';

const require = createRequire(import.meta.url);

export interface TensorFlowOptions {
  /** Intra-op threads: with the hardware, what fixes the bits of a result. */
  readonly threads: number;
  /** Whether a GPU may multiply float32 values as TF32 (10 bits of mantissa); absent: true. */
  readonly tf32?: boolean;
  readonly device: 'auto' | 'cpu' | 'gpu';
  /** Without oneDNN there is no notice of it on standard error; default true. */
  readonly oneDnn?: boolean;
}

export interface LoadedTensorFlow {
  readonly version: string;
  readonly device: {
    readonly kind: 'cpu' | 'gpu';
    readonly name: string;
    readonly memoryBytes: number;
  };
}

/**
 * Of networks of `tf.layers` that ran last: it keeps their layers for another run. One runs only while
 * it is recorded; the default is 100.
 */
const NUM_KEPT_NETWORKS = 1;

let loaded: LoadedTensorFlow | null = null;

/**
 * Loads TensorFlow into this process, once. Its settings are read from environment variables when
 * it is loaded, so they are written first; they hold for the life of the process.
 *
 * @throws EngineError TENSORFLOW_UNAVAILABLE when the native binding is missing or broken,
 *   DEVICE_UNAVAILABLE when a GPU was asked for and none is usable.
 */
export async function loadTensorFlow(options: TensorFlowOptions): Promise<LoadedTensorFlow> {
  if (loaded !== null) return loaded;
  const { device } = options;
  for (const [name, value] of Object.entries(settingsOf(options))) {
    if (value === null) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  restoreRemovedUtilities();
  try {
    require('@tensorflow/tfjs-node-gpu');
    await tf.ready();
  } catch (cause) {
    throw new EngineError(
      'TENSORFLOW_UNAVAILABLE',
      "TensorFlow's native binding cannot be loaded; `skipring doctor` says what is missing",
      { cause },
    );
  }
  tf.env().set('TOPOLOGICAL_SORT_CACHE_MAX_ENTRIES', NUM_KEPT_NETWORKS);
  const { binding } = nodeBackend();
  const isGpu = binding.isUsingGpuDevice();
  if (device === 'gpu' && !isGpu) {
    throw new EngineError('DEVICE_UNAVAILABLE', 'device gpu: TensorFlow found no usable GPU');
  }
  const result: LoadedTensorFlow = {
    version: binding.TF_Version,
    device: isGpu
      ? { kind: 'gpu', name: 'NVIDIA GPU', memoryBytes: 0 }
      : { kind: 'cpu', name: (cpus()[0]?.model ?? 'cpu').trim(), memoryBytes: totalmem() },
  };
  loaded = result;
  return result;
}

/** Environment variables that TensorFlow and the libraries below it read; null: to be absent. */
export function settingsOf({
  threads,
  tf32 = true,
  device,
  oneDnn = true,
}: TensorFlowOptions): Record<string, string | null> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    // Errors only. (oneDNN's notice is printed while the library loads, before this is looked at.)
    TF_CPP_MIN_LOG_LEVEL: '2',
    // By default only on where the processor has AVX-512 VNNI; with AVX2 alone it is twice as fast.
    TF_ENABLE_ONEDNN_OPTS: oneDnn ? '1' : '0',
    TF_DETERMINISTIC_OPS: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Of cuBLAS and cuDNN: 0 forbids TF32. Absent, TensorFlow's own default holds, which is TF32.
    NVIDIA_TF32_OVERRIDE: tf32 ? null : '0',
    ...(device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '-1' } : {}),
  };
}

/** The backend of a loaded TensorFlow. Throws EngineError TENSORFLOW_UNAVAILABLE before that. */
export function nodeBackend(): NodeBackend {
  const backend: unknown = tf.backend();
  if (typeof backend === 'object' && backend !== null && 'binding' in backend) {
    return backend as NodeBackend;
  }
  throw new EngineError(
    'TENSORFLOW_UNAVAILABLE',
    'the native backend is not active: call loadTensorFlow first',
  );
}

/** tfjs-node 4.22 calls functions of node:util that Node.js 22 warns about and 23 removed. */
function restoreRemovedUtilities(): void {
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
}
