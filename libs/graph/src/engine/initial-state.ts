import type { TrainableModel } from '@skipring/nn';
import type { TensorData, TensorMap } from '@skipring/trainer';
import type * as tf from '@tensorflow/tfjs';
import { velocityName } from './apply-graph.js';

/** The model's own values, and optimizer slots of zeros. */
export function initialState(model: TrainableModel): TensorMap {
  const valueOf = (variable: tf.Variable): TensorData => ({
    shape: variable.shape,
    values: variable.dataSync<'float32'>(),
  });
  return new Map([
    ...[...model.parameters, ...model.movingStatistics].map(
      ({ name, variable }) => [name, valueOf(variable)] as const,
    ),
    ...model.parameters.map(
      ({ name, variable }) =>
        [
          velocityName(name),
          { shape: variable.shape, values: new Float32Array(variable.size) },
        ] as const,
    ),
  ]);
}
