import type { JobSpec } from '@skipring/protocol';

type Training = JobSpec['training'];

/**
 * The learning rate at each step, counted from 0.
 *
 * Warm-up, when there is any, rises linearly and reaches the full rate at step `warmupSteps - 1`
 * (Goyal et al. 2017). After it: `constant`; `step`, multiplied by `factor` from step
 * `milestone * totalSteps` on, for each milestone; `cosine` from the end of warm-up, falling to
 * `finalFraction` of the full rate, which step `totalSteps` would have (Loshchilov and Hutter 2017).
 */
export function learningRateAt(
  training: Pick<Training, 'learningRate' | 'schedule' | 'warmupSteps'>,
  totalSteps: number,
): (step: number) => number {
  const { learningRate, schedule, warmupSteps } = training;
  const fraction = (step: number): number => {
    switch (schedule.kind) {
      case 'constant':
        return 1;
      case 'step': {
        const passed = schedule.milestones.filter((milestone) => step >= milestone * totalSteps);
        return schedule.factor ** passed.length;
      }
      case 'cosine': {
        const { finalFraction } = schedule;
        const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
        return finalFraction + ((1 - finalFraction) * (1 + Math.cos(Math.PI * progress))) / 2;
      }
    }
  };
  return (step) =>
    step < warmupSteps ? (learningRate * (step + 1)) / warmupSteps : learningRate * fraction(step);
}
