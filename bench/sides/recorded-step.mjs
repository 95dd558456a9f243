// One training step as a worker runs it: forward and backward pass to the lane's vector, then the
// update from it. Arguments: input shape, batch size, precision.
import { compileEngine, loadTensorFlow } from '@skipring/graph';
import { buildModel, registerFusedKernels } from '@skipring/nn';
import { availableParallelism } from 'node:os';
import { NUM_CLASSES, parseShape, randomBatch, RESNET_20 } from '../lib/batch.mjs';
import { serve, timed } from '../lib/side.mjs';

const [shape, samplesText, precision] = process.argv.slice(2);
const inputShape = parseShape(shape);
const samples = Number(samplesText);

const { version } = await loadTensorFlow({ threads: availableParallelism(), device: 'cpu' });
registerFusedKernels();
const engine = compileEngine({
  model: buildModel(RESNET_20, inputShape, NUM_CLASSES, 1),
  spec: {
    momentum: 0.9,
    nesterov: false,
    weightDecay: 0,
    labelSmoothing: 0,
    reduction: 'exact',
    precision,
  },
  trainBatchSizes: [samples],
  evaluationBatchSizes: [],
  laneSize: samples,
  numClasses: NUM_CLASSES,
  inputShape,
});
const batch = randomBatch(inputShape, samples);
const exponents = new Int32Array(engine.layout.slots.length).fill(20);

serve({ tensorflow: version }, () =>
  timed(() => {
    const vector = engine.forwardBackward(batch, exponents, 1, 0);
    engine.apply(vector, { learningRate: 0.01, step: 1, totalWeight: 1, exponents });
  }),
);
