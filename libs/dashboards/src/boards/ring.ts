import { jobMetrics as job, workerProcessMetrics as worker } from '@skipring/metrics';
import type { Board } from '../board.js';
import {
  CHOSEN_JOBS,
  CHOSEN_WORKERS,
  latest,
  mean,
  perSecond,
  quantile,
  spentPerSecond,
} from '../expressions.js';

const inRing = 'part="ring"';

export const ring: Board = {
  uid: 'skipring-ring',
  title: 'Skipring / Ring',
  description: 'The all-reduce between the workers: how fast, how much, how often broken.',
  variables: ['job', 'worker'],
  marksGenerations: true,
  rows: [
    {
      title: 'Speed',
      panels: [
        {
          title: 'Bus bandwidth by worker',
          help: 'Bytes that a rank sends per second of its time in the ring: busbw as nccl-tests define it. Waiting for a slow rank lowers it.',
          kind: 'lines',
          unit: 'Bps',
          width: 12,
          queries: [
            {
              expression:
                `${perSecond(worker.ringBytes, 'instance', CHOSEN_WORKERS)} / ` +
                spentPerSecond(worker.partDuration, 'instance', CHOSEN_WORKERS, inRing),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Bus bandwidth by job',
          help: 'The same over all ranks of a job; the alert on a slow ring goes by its five-minute mean.',
          kind: 'lines',
          unit: 'Bps',
          width: 12,
          queries: [
            {
              expression:
                `${perSecond(job.ringBytes, 'job_id', CHOSEN_JOBS)} / ` +
                spentPerSecond(job.partDuration, 'job_id', CHOSEN_JOBS, inRing),
              legend: '{{job_id}}',
            },
          ],
        },
        {
          title: 'Time in the ring',
          help: 'Per step, of every rank.',
          kind: 'lines',
          unit: 's',
          width: 8,
          queries: [
            {
              expression: mean(job.partDuration, 'job_id', CHOSEN_JOBS, inRing),
              legend: '{{job_id}} mean',
            },
            {
              expression: quantile(0.95, job.partDuration, 'job_id', CHOSEN_JOBS, inRing),
              legend: '{{job_id}} p95',
            },
          ],
        },
        {
          title: 'Ring time hidden',
          help: 'Share of the time of the ring that a worker spent computing the rest of the gradient instead of waiting. Models with a gradient of one bucket hide none.',
          kind: 'lines',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expression: latest(worker.ringHidden, 'instance', CHOSEN_WORKERS),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Share of the step',
          help: 'Time in the ring over the time of the whole step. It grows with the number of workers and shrinks with the lanes per worker.',
          kind: 'lines',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expression:
                `${spentPerSecond(job.partDuration, 'job_id', CHOSEN_JOBS, inRing)} / ` +
                spentPerSecond(job.partDuration, 'job_id', CHOSEN_JOBS),
              legend: '{{job_id}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Traffic and faults',
      panels: [
        {
          title: 'Bytes sent by worker',
          help: 'Averaged over the whole time, computing included: what the network carries.',
          kind: 'stacked',
          unit: 'Bps',
          width: 8,
          queries: [
            {
              expression: perSecond(worker.ringBytes, 'instance', CHOSEN_WORKERS),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Generations given up',
          help: 'A worker leaves its generation when the ring breaks; the step is tried again in the next.',
          kind: 'lines',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expression: perSecond(worker.aborts, 'instance', CHOSEN_WORKERS),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Rank',
          help: 'Position of each worker in its ring; -1 in none.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [
            { expression: latest(worker.rank, 'instance', CHOSEN_WORKERS), legend: '{{instance}}' },
          ],
        },
      ],
    },
  ],
};
