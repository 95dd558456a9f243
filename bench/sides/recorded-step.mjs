// One training step as a worker runs it: forward and backward pass to the lane's vector, then the
// update from it. Arguments: model, input shape, batch size, precision,
// device (cpu or gpu).
import { peakMemoryBytes } from '../lib/memory.mjs';
import { recordedEngine } from '../lib/recorded-engine.mjs';
import { serve, timed } from '../lib/side.mjs';

const [name, shape, samples, precision, device] = process.argv.slice(2);
const start = performance.now();
const { version, step } = await recordedEngine({
  name,
  shape,
  samples: Number(samples),
  precision,
  device,
});
step();
const firstStepMs = performance.now() - start;

serve({ tensorflow: version, firstStepMs }, async ({ what }) =>
  what === 'memory' ? peakMemoryBytes() : timed(step),
);
