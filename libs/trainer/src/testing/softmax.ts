/**
 * Softmax of `features * kernel + bias`, with the largest logit subtracted first.
 *
 * @param features shape [numFeatures]
 * @param kernel shape [numFeatures, numClasses]
 * @param bias shape [numClasses]
 */
export function classProbabilities(
  features: Float32Array,
  kernel: Float32Array,
  bias: Float32Array,
): Float64Array {
  const logits = Float64Array.from(bias, (offset, c) =>
    features.reduce((sum, value, f) => sum + value * (kernel[f * bias.length + c] ?? 0), offset),
  );
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
