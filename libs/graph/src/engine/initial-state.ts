import type { TrainableModel } from '@skipring/nn';
import type { TensorData, TensorMap } from '@skipring/trainer';
import type * as tf from '@tensorflow/tfjs';
import { optimizerOf, slotName, type OptimizerSpec } from './optimizers.js';
import { trainedName } from './weight-average.js';

/** The model's own values, twice where they are averaged, and optimizer slots of zeros. */
export function initialState(model: TrainableModel, spec: OptimizerSpec): TensorMap {
  const { slots } = optimizerOf(spec);
  const valueOf = (variable: tf.Variable): TensorData => ({
    shape: variable.shape,
    values: variable.dataSync<'float32'>(),
  });
  return new Map([
    ...[...model.parameters, ...model.movingStatistics].map(
      ({ name, variable }) => [name, valueOf(variable)] as const,
    ),
    ...model.parameters.map(
      ({ name, variable }) => [trainedName(spec, name), valueOf(variable)] as const,
    ),
    ...slots.flatMap((slot) =>
      model.parameters.map(({ name, variable }) => {
        const zeros = { shape: variable.shape, values: new Float32Array(variable.size) };
        return [slotName(slot, name), zeros] as const;
      }),
    ),
  ]);
}
