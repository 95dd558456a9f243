/** Images scaled to [-0.5, 0.5] with their labels. */
export interface LabelledImages {
  /** Shape [samples, features]. */
  readonly features: Float32Array;
  readonly labels: Uint16Array;
  readonly numFeatures: number;
}

/**
 * Softmax regression by plain stochastic gradient descent, in the order given, with a learning rate
 * that falls linearly to zero. Returns weights of shape [classes, features + 1], biases last.
 */
export function trainLinearClassifier(
  data: LabelledImages,
  numClasses: number,
  epochs: number,
  learningRate: number,
): Float32Array {
  const stride = data.numFeatures + 1;
  const weights = new Float32Array(numClasses * stride);
  const numSteps = epochs * data.labels.length;
  for (let step = 0; step < numSteps; step++) {
    const sample = step % data.labels.length;
    const rate = learningRate * (1 - step / numSteps);
    const residuals = softmax(scores(weights, data, sample, numClasses));
    residuals[data.labels[sample]!]! -= 1;
    const first = sample * data.numFeatures;
    residuals.forEach((residual, label) => {
      const row = label * stride;
      const change = rate * residual;
      for (let i = 0; i < data.numFeatures; i++) {
        weights[row + i]! -= change * data.features[first + i]!;
      }
      weights[row + data.numFeatures]! -= change;
    });
  }
  return weights;
}

/** Share of samples whose highest score is their label's. */
export function linearAccuracy(
  weights: Float32Array,
  data: LabelledImages,
  numClasses: number,
): number {
  let correct = 0;
  data.labels.forEach((label, sample) => {
    const ranked = scores(weights, data, sample, numClasses);
    if (ranked.indexOf(Math.max(...ranked)) === label) correct += 1;
  });
  return correct / data.labels.length;
}

function scores(
  weights: Float32Array,
  data: LabelledImages,
  sample: number,
  numClasses: number,
): number[] {
  const stride = data.numFeatures + 1;
  const first = sample * data.numFeatures;
  return Array.from({ length: numClasses }, (_, label) => {
    const row = label * stride;
    let score = weights[row + data.numFeatures]!;
    for (let i = 0; i < data.numFeatures; i++) {
      score += weights[row + i]! * data.features[first + i]!;
    }
    return score;
  });
}

function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
