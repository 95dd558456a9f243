import { clusterMetrics as cluster } from '@skipring/metrics';
import type { Board } from '../board.js';
import { latest, perSecond, quantile } from '../expressions.js';

export const redis: Board = {
  uid: 'skipring-redis',
  title: 'Skipring / Redis and queue',
  description: 'The store and the queues as the coordinator sees them.',
  variables: [],
  marksGenerations: false,
  rows: [
    {
      title: 'Store',
      panels: [
        {
          title: 'Redis answers',
          help: '1 when Redis answered while the metrics were read. At 0, the counts below are old.',
          kind: 'number',
          unit: 'none',
          width: 6,
          thresholds: [
            { from: 0, color: 'red' },
            { from: 1, color: 'green' },
          ],
          queries: [{ expression: `min(${cluster.redisUp.name})`, legend: '' }],
        },
        {
          title: 'Redis over time',
          help: 'Gaps and zeroes are times without the store.',
          kind: 'lines',
          unit: 'none',
          width: 9,
          max: 1,
          queries: [{ expression: latest(cluster.redisUp, 'instance'), legend: '{{instance}}' }],
        },
        {
          title: 'Events written',
          help: 'Events of jobs by type. Most are steps; this is the main load on the store.',
          kind: 'stacked',
          unit: 'reqps',
          width: 9,
          queries: [{ expression: perSecond(cluster.events, 'type'), legend: '{{type}}' }],
        },
      ],
    },
    {
      title: 'Queues',
      panels: [
        {
          title: 'Entries by queue and state',
          help: 'Entries of `jobs` leave at once when their turn comes: a job that waits for workers is no longer in here.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [
            {
              expression: latest(cluster.queueDepth, 'queue, state'),
              legend: '{{queue}} {{state}}',
            },
          ],
        },
        {
          title: 'Jobs by state',
          help: 'All jobs that the store knows.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [{ expression: latest(cluster.jobs, 'state'), legend: '{{state}}' }],
        },
        {
          title: 'Wait for the first workers',
          help: 'From when a job may start until its first attempt has workers.',
          kind: 'lines',
          unit: 's',
          width: 8,
          queries: [
            { expression: quantile(0.5, cluster.queueWait, ''), legend: 'median' },
            { expression: quantile(0.9, cluster.queueWait, ''), legend: 'p90' },
          ],
        },
      ],
    },
  ],
};
