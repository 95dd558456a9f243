import { clusterMetrics, jobMetrics, peerMetrics } from '@skipring/metrics';
import type { Board } from '../board.js';
import { latest, perSecond } from '../expressions.js';

const { workers, jobs, desiredWorkers } = clusterMetrics;

export const fleet: Board = {
  uid: 'skipring-fleet',
  title: 'Skipring / Fleet',
  description: 'All workers and jobs of a coordinator at a glance.',
  variables: [],
  marksGenerations: false,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Connected workers',
          help: 'Workers that the coordinator hears, whatever they do.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expression: `sum(${workers.name})`, legend: '' }],
        },
        {
          title: 'Desired workers',
          help: 'What an autoscaler should run for the jobs there are. More than are connected: jobs wait, or would be faster.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expression: `sum(${desiredWorkers.name})`, legend: '' }],
        },
        {
          title: 'Jobs running',
          help: 'Jobs that have workers.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expression: `sum(${jobs.name}{state="running"})`, legend: '' }],
        },
        {
          title: 'Jobs waiting',
          help: 'Jobs whose turn has come and that have no workers, and jobs still in the queue.',
          kind: 'number',
          unit: 'short',
          width: 4,
          thresholds: [{ from: 1, color: 'orange' }],
          queries: [{ expression: `sum(${jobs.name}{state=~"pending|waiting"})`, legend: '' }],
        },
        {
          title: 'Images per second',
          help: 'Samples trained by all jobs together.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expression: `sum(${jobMetrics.imagesPerSecond.name})`, legend: '' }],
        },
        {
          title: 'Longest compute silence',
          help: 'Time since the compute thread of the most silent worker answered. After 60 s the worker is dropped.',
          kind: 'number',
          unit: 's',
          width: 4,
          thresholds: [
            { from: 20, color: 'orange' },
            { from: 40, color: 'red' },
          ],
          queries: [{ expression: `max(${peerMetrics.computeSilence.name})`, legend: '' }],
        },
      ],
    },
    {
      title: 'Workers',
      panels: [
        {
          title: 'Workers by state',
          help: 'Busy workers belong to a job; draining ones leave when they have handed over.',
          kind: 'stacked',
          unit: 'short',
          width: 12,
          queries: [{ expression: latest(workers, 'state'), legend: '{{state}}' }],
        },
        {
          title: 'Desired and connected workers',
          help: 'A lasting gap means that the autoscaler or the cluster cannot give what the jobs ask for.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          queries: [
            {
              expression: latest(desiredWorkers, 'threads'),
              legend: 'desired, {{threads}} threads',
            },
            { expression: `sum(${workers.name})`, legend: 'connected' },
          ],
        },
        {
          title: 'Heartbeats received',
          help: 'One per second and worker as a rule. A line that ends is a worker that left.',
          kind: 'lines',
          unit: 'reqps',
          width: 12,
          queries: [
            { expression: perSecond(peerMetrics.heartbeats, 'worker_id'), legend: '{{worker_id}}' },
          ],
        },
        {
          title: 'Compute silence',
          help: 'Time since the compute thread answered, by worker. A step longer than this is no fault.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [
            {
              expression: latest(peerMetrics.computeSilence, 'worker_id'),
              legend: '{{worker_id}}',
            },
          ],
        },
        {
          title: 'CPU of the workers',
          help: 'Cores in use, by worker process. More than its threads: batches and ring take the rest.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          queries: [
            {
              expression:
                'sum by (instance) (rate(process_cpu_seconds_total{job="skipring-worker"}[$__rate_interval]))',
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Memory of the workers',
          help: 'Resident memory of each worker process.',
          kind: 'lines',
          unit: 'bytes',
          width: 12,
          queries: [
            {
              expression:
                'max by (instance) (process_resident_memory_bytes{job="skipring-worker"})',
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Jobs',
      panels: [
        {
          title: 'Images per second by job',
          help: 'Samples trained per second over all workers of a job, in its last step.',
          kind: 'stacked',
          unit: 'short',
          width: 8,
          queries: [
            { expression: latest(jobMetrics.imagesPerSecond, 'job_id'), legend: '{{job_id}}' },
          ],
        },
        {
          title: 'Workers by job',
          help: 'Members of the ring of each job.',
          kind: 'stacked',
          unit: 'short',
          width: 8,
          queries: [{ expression: latest(jobMetrics.worldSize, 'job_id'), legend: '{{job_id}}' }],
        },
        {
          title: 'Jobs by state',
          help: 'All jobs that the store knows, also those that have ended.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [{ expression: latest(jobs, 'state'), legend: '{{state}}' }],
        },
      ],
    },
  ],
};
