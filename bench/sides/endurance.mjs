// Many steps of one model in one process. Arguments: model, input shape, batch size, steps. Sends how
// much of a step is not the graph's own, and how resident memory grows.
import * as tf from '@tensorflow/tfjs';
import { setTimeout } from 'node:timers/promises';
import { memoryBytes } from '../lib/memory.mjs';
import { recordedEngine } from '../lib/recorded-engine.mjs';
import { slope } from '../lib/stats.mjs';

const [name, shape, samples, stepsText] = process.argv.slice(2);
const numSteps = Number(stepsText);
/** Memory settles first: caches of TensorFlow and the heap of JavaScript fill. */
const SETTLING = 0.2;
const NUM_READINGS = 100;
const SETTLING_MS = 50;

let graphMs = 0;
const options = { name, shape, samples: Number(samples), precision: 'float32' };
const { step } = await recordedEngine(options, () => {
  const backend = tf.backend();
  const native = backend.binding;
  const names = Object.getOwnPropertyNames(native);
  backend.binding = Object.fromEntries(names.map((field) => [field, native[field]]));
  backend.binding.runSavedModel = (...args) => {
    const start = performance.now();
    const outputs = native.runSavedModel(...args);
    graphMs += performance.now() - start;
    return outputs;
  };
});

const readings = [];
const every = Math.max(1, Math.floor(numSteps / NUM_READINGS));
let totalMs = 0;
for (let index = 0; index < numSteps; index++) {
  if (index === Math.floor(numSteps * SETTLING)) {
    graphMs = 0;
    totalMs = 0;
  }
  const start = performance.now();
  step();
  totalMs += performance.now() - start;
  if (index >= numSteps * SETTLING && index % every === 0) {
    // What the collector has not come to yet says nothing of what stays. It gives memory back on
    // threads of its own, a little later.
    globalThis.gc();
    await setTimeout(SETTLING_MS);
    readings.push([index, memoryBytes()]);
  }
}
process.send({
  ready: { totalMs, graphMs, memory: slope(readings), lastBytes: readings.at(-1)[1] },
});
