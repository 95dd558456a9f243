import { parseArgs } from 'node:util';
import { fuzzMessageReader } from './fuzz-message-reader.js';

// node libs/transport-ws/dist/testing/fuzz-main.js [--inputs N] [--seed S]: the long run of the fuzz
// test, in rounds, each with a seed of its own.
const INPUTS_PER_ROUND = 1_000_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
  },
});
const [numInputs, firstSeed] = [Number(values.inputs), Number(values.seed)];
if (!Number.isSafeInteger(numInputs) || numInputs < 1 || !Number.isSafeInteger(firstSeed)) {
  throw new Error('inputs is no positive integer or seed no integer');
}
for (let done = 0, seed = firstSeed; done < numInputs; seed++) {
  const counts = fuzzMessageReader({
    numInputs: Math.min(INPUTS_PER_ROUND, numInputs - done),
    seed,
  });
  done += counts.inputs;
  const residentMB = Math.round(process.memoryUsage().rss / 1e6);
  process.stdout.write(`${JSON.stringify({ seed, done, ...counts, residentMB })}\n`);
}
