import { jobMetrics as job } from '@skipring/metrics';
import type { Board } from '../board.js';
import { CHOSEN_JOBS, latest, mean, observationsPerSecond, quantile } from '../expressions.js';

const of = '{{job_id}}';
const step = latest(job.step, 'job_id', CHOSEN_JOBS);
const planned = latest(job.totalSteps, 'job_id', CHOSEN_JOBS);
const stepsPerSecond = observationsPerSecond(job.stepDuration, 'job_id', CHOSEN_JOBS);

export const jobBoard: Board = {
  uid: 'skipring-job',
  title: 'Skipring / Job',
  description: 'How training goes: results, progress and speed of the chosen jobs.',
  variables: ['job'],
  marksGenerations: true,
  rows: [
    {
      title: 'Progress',
      panels: [
        {
          title: 'Done',
          help: 'Committed steps of those planned.',
          kind: 'number',
          unit: 'percentunit',
          width: 4,
          max: 1,
          queries: [{ expression: `${step} / ${planned}`, legend: of }],
        },
        {
          title: 'Time left',
          help: 'At the speed of the last minutes. Empty while no step is committed.',
          kind: 'number',
          unit: 's',
          width: 4,
          queries: [{ expression: `(${planned} - ${step}) / (${stepsPerSecond} > 0)`, legend: of }],
        },
        {
          title: 'Step',
          help: 'Committed optimizer steps.',
          kind: 'number',
          unit: 'none',
          width: 4,
          queries: [{ expression: step, legend: of }],
        },
        {
          title: 'Epoch',
          help: 'Passes over the data that are complete.',
          kind: 'number',
          unit: 'none',
          width: 4,
          queries: [{ expression: latest(job.epoch, 'job_id', CHOSEN_JOBS), legend: of }],
        },
        {
          title: 'Workers',
          help: 'Members of the ring; 0 when the attempt has ended.',
          kind: 'number',
          unit: 'none',
          width: 4,
          queries: [{ expression: latest(job.worldSize, 'job_id', CHOSEN_JOBS), legend: of }],
        },
        {
          title: 'Test accuracy',
          help: 'Of the last evaluation.',
          kind: 'number',
          unit: 'percentunit',
          width: 4,
          max: 1,
          queries: [
            {
              expression: latest(job.accuracy, 'job_id', CHOSEN_JOBS, 'split="test"'),
              legend: of,
            },
          ],
        },
      ],
    },
    {
      title: 'Results',
      panels: [
        {
          title: 'Loss',
          help: 'Mean loss of the last step, and of the last evaluation. A line that does not fall: look at the learning rate.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [
            {
              expression: latest(job.loss, 'job_id, split', CHOSEN_JOBS),
              legend: `${of} {{split}}`,
            },
          ],
        },
        {
          title: 'Accuracy',
          help: 'Share classified correctly. Train far above test: the model has learnt the samples by heart.',
          kind: 'lines',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expression: latest(job.accuracy, 'job_id, split', CHOSEN_JOBS),
              legend: `${of} {{split}}`,
            },
          ],
        },
        {
          title: 'Learning rate',
          help: 'Of the last step, after warm-up and schedule.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [{ expression: latest(job.learningRate, 'job_id', CHOSEN_JOBS), legend: of }],
        },
      ],
    },
    {
      title: 'Speed',
      panels: [
        {
          title: 'Images per second',
          help: 'Over all workers, in the last step.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [{ expression: latest(job.imagesPerSecond, 'job_id', CHOSEN_JOBS), legend: of }],
        },
        {
          title: 'Step time',
          help: 'Wall time of a committed step as rank 0 saw it. The 95th percentile far above the mean: evaluations, checkpoints or stragglers.',
          kind: 'lines',
          unit: 's',
          width: 8,
          queries: [
            { expression: mean(job.stepDuration, 'job_id', CHOSEN_JOBS), legend: `${of} mean` },
            {
              expression: quantile(0.95, job.stepDuration, 'job_id', CHOSEN_JOBS),
              legend: `${of} p95`,
            },
          ],
        },
        {
          title: 'Workers and generation',
          help: 'Each change of the members is a new generation. The result does not depend on it.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [
            { expression: latest(job.worldSize, 'job_id', CHOSEN_JOBS), legend: `${of} workers` },
            {
              expression: latest(job.generation, 'job_id', CHOSEN_JOBS),
              legend: `${of} generation`,
            },
          ],
        },
      ],
    },
  ],
};
