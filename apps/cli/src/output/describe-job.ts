import type { JobSummary, JobView } from '@skipring/protocol';
import { epochNumber } from './epoch.js';
import { duration, percent, table } from './format.js';

/** A job in words, a line for each thing. */
export function describeJob(job: JobView): string {
  const { progress, lastStep, lastEvaluation, bestAccuracy } = job;
  const epoch = `${epochNumber(progress.epoch, progress.totalEpochs)}/${progress.totalEpochs}`;
  const best = bestAccuracy === null ? '' : `, best ${percent(bestAccuracy)}`;
  const rows = [
    ['job', `${job.id} (${job.name})`],
    ['state', `${job.state}${job.reason === '' ? '' : ` - ${job.reason}`}`],
    ['attempt', `${job.attempt}, generation ${job.generation}`],
    ['workers', job.workers.join(', ') || '-'],
    ['progress', `epoch ${epoch}, step ${progress.step}/${progress.totalSteps}`],
    ['speed', `${Math.round(progress.imagesPerSecond)} images/s`],
    ['eta', progress.etaMs === null ? '-' : duration(progress.etaMs)],
    ['loss', lastStep === null ? '-' : lastStep.loss.toFixed(4)],
    ['test accuracy', lastEvaluation === null ? '-' : percent(lastEvaluation.accuracy) + best],
    ['model SHA-256', job.modelSha256 ?? '-'],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(15)}${value}`).join('\n');
}

export function listJobs(jobs: readonly JobSummary[]): string {
  if (jobs.length === 0) return 'no jobs; submit one with: skipring submit FILE';
  return table(
    ['ID', 'NAME', 'STATE', 'STEP', 'ACCURACY', 'REASON'],
    jobs.map((job) => [
      job.id,
      job.name,
      job.state,
      `${job.progress.step}/${job.progress.totalSteps}`,
      job.bestAccuracy === null ? '-' : percent(job.bestAccuracy),
      job.reason,
    ]),
  );
}
