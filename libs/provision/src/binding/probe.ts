import { join } from 'node:path';
import { ProvisionError } from '../errors.js';
import { runProgram } from '../machine/run-program.js';

/** What a process that loaded the binding found. */
export interface BindingProbe {
  readonly tensorflowVersion: string;
  /** Whether TensorFlow computes on a GPU. */
  readonly usesGpu: boolean;
}

/** Loading TensorFlow takes a second; initialising CUDA the first time can take a minute. */
const PROBE_DEADLINE_MS = 180_000;

/**
 * Multiplies two matrices and prints what it ran on. tfjs-node calls a function of `node:util` that
 * Node.js 23 removed.
 */
const PROBE = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value == null;
const tf = require('@tensorflow/tfjs-node-gpu');
const product = tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).arraySync();
if (product[1][1] !== 3) throw new Error('2x3 by 3x2 ones gave ' + JSON.stringify(product));
const backend = tf.backend();
console.log(JSON.stringify({
  tensorflowVersion: backend.binding.TF_Version,
  usesGpu: backend.isUsingGpuDevice === true,
}));
`;

/**
 * Loads the installed binding in a process of its own, because a library that does not fit can end
 * the process that loads it.
 *
 * @throws ProvisionError `BINDING_LOAD_FAILED` with the end of what the process said.
 */
export async function probeBinding(packageRoot: string): Promise<BindingProbe> {
  const { status, stdout, stderr } = await runProgram(process.execPath, ['-e', PROBE], {
    env: { TF_CPP_MIN_LOG_LEVEL: '1' },
    deadlineMs: PROBE_DEADLINE_MS,
    cwd: join(packageRoot),
  });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (status === 0 && line.startsWith('{')) return JSON.parse(line) as BindingProbe;
  const output = stderr.trim().slice(-2000);
  // Of an exception its message says all; a native library that ends the process writes lines.
  const said = /^\w*Error: .*$/m.exec(output)?.[0] ?? output;
  const missing = /([\w.+-]+\.so[\w.]*): cannot open shared object file/.exec(output)?.[1];
  throw new ProvisionError(
    'BINDING_LOAD_FAILED',
    `the binding to TensorFlow does not load (${status === null ? 'its process was ended' : `status ${status}`}): ${said || 'it said nothing'}`,
    missing === undefined
      ? 'run npm run setup; if that does not help, delete the cache directory (SKIPRING_CACHE_DIR) first'
      : `install the system library ${missing} (on Debian and Ubuntu: apt-get install libstdc++6)`,
  );
}
