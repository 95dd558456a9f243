import { jobMetrics as job, workerProcessMetrics as worker } from '@skipring/metrics';
import type { Board, Panel } from '../board.js';
import { CHOSEN_JOBS, CHOSEN_WORKERS, mean, spentPerSecond } from '../expressions.js';

const compute = 'part="compute"';

function byWorker(title: string, part: string, help: string): Panel {
  return {
    title,
    help,
    kind: 'lines',
    unit: 's',
    width: 8,
    queries: [
      {
        expression: mean(worker.partDuration, 'instance', CHOSEN_WORKERS, `part="${part}"`),
        legend: '{{instance}}',
      },
    ],
  };
}

export const steps: Board = {
  uid: 'skipring-steps',
  title: 'Skipring / Step breakdown',
  description: 'Where the time of a step goes, by job and by worker, and who holds up the others.',
  variables: ['job', 'worker'],
  marksGenerations: true,
  rows: [
    {
      title: 'By job',
      panels: [
        {
          title: 'Parts of a step',
          help: 'Mean over all ranks. Compute should be most of it.',
          kind: 'stacked',
          unit: 's',
          width: 12,
          queries: [
            {
              expression: mean(job.partDuration, 'job_id, part', CHOSEN_JOBS),
              legend: '{{job_id}} {{part}}',
            },
          ],
        },
        {
          title: 'Share of the time',
          help: 'Of the time that all ranks spent in steps. Data above a fifth: see the runbook on data starvation.',
          kind: 'stacked',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            {
              expression:
                `${spentPerSecond(job.partDuration, 'job_id, part', CHOSEN_JOBS)} / on (job_id) group_left () ` +
                spentPerSecond(job.partDuration, 'job_id', CHOSEN_JOBS),
              legend: '{{job_id}} {{part}}',
            },
          ],
        },
      ],
    },
    {
      title: 'By worker',
      panels: [
        byWorker(
          'Compute',
          'compute',
          'Forward and backward pass over the lanes that the worker owns.',
        ),
        byWorker('Ring', 'ring', 'The fast workers wait in here for the slow ones.'),
        byWorker('Data', 'data_wait', 'Waiting for batches; near zero when they are made in time.'),
        byWorker('Commit', 'commit', 'The vote on the step. It takes a round trip along the ring.'),
        byWorker('Apply', 'apply', "The optimizer's update of the parameters."),
        {
          title: 'Stragglers',
          help: "A worker's compute time over the mean of all that are chosen. 1.2 means that it is 20 % slower: the others wait for it.",
          kind: 'lines',
          unit: 'none',
          width: 8,
          thresholds: [{ from: 1.2, color: 'orange' }],
          queries: [
            {
              expression:
                `(${mean(worker.partDuration, 'instance', CHOSEN_WORKERS, compute)}) / scalar(avg(` +
                `${mean(worker.partDuration, 'instance', CHOSEN_WORKERS, compute)}))`,
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
  ],
};
