import { compileEngine, loadTensorFlow } from '@skipring/graph';
import { buildModel, registerFusedKernels } from '@skipring/nn';
import { availableParallelism } from 'node:os';
import { parseShape, randomBatch } from './batch.mjs';
import { MODELS } from './models.mjs';

/**
 * A compiled model, and one training step of it as a worker runs it for one lane.
 * @param onLoaded called once TensorFlow is loaded, before the model is compiled
 */
export async function recordedEngine(
  { name, shape, samples, precision, device = 'cpu' },
  onLoaded = () => {},
) {
  const inputShape = parseShape(shape);
  const { spec, numClasses } = MODELS[name];
  const { version } = await loadTensorFlow({ threads: availableParallelism(), device });
  onLoaded();
  registerFusedKernels();
  const engine = compileEngine({
    model: buildModel(spec, inputShape, numClasses, 1),
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
    numClasses,
    inputShape,
  });
  const batch = randomBatch(inputShape, samples);
  const exponents = new Int32Array(engine.layout.slots.length).fill(20);
  const step = () => {
    const vector = engine.forwardBackward(batch, exponents, 1, 0);
    engine.apply(vector, { learningRate: 0.01, step: 1, totalWeight: 1, exponents });
  };
  return { version, step };
}
