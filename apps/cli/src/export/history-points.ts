import type { History } from './history.js';

/** Values of one moment of a job. */
export interface Point {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * A job's course as named values in the order of steps. A step without a time of its own has that of
 * the job's start plus the time of the steps before. What is not finite is left out.
 */
export function pointsOf({ job, steps, evaluations }: History): Point[] {
  const startMs = Date.parse(job.startedAt ?? job.createdAt);
  let elapsedMs = 0;
  const times = new Map<number, number>();
  const training = steps.map((record) => {
    const { step, epoch, loss, accuracy, learningRate, samples, stepMs } = record;
    elapsedMs += stepMs;
    const timeMs = record.timeMs ?? startMs + elapsedMs;
    times.set(step, timeMs);
    const values = finite({
      'train/loss': loss,
      'train/accuracy': accuracy,
      'train/learning_rate': learningRate,
      'train/images_per_second': (samples / stepMs) * 1_000,
    });
    return { step, timeMs, epoch, values };
  });
  const tests = evaluations.map(({ step, epoch, loss, accuracy }) => ({
    step,
    timeMs: times.get(step) ?? startMs + elapsedMs,
    epoch,
    values: finite({ 'test/loss': loss, 'test/accuracy': accuracy }),
  }));
  return [...training, ...tests].sort((a, b) => a.step - b.step);
}

function finite(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}
