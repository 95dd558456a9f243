import { clusterMetrics as cluster } from '@skipring/metrics';
import type { Board } from '../board.js';
import { latest, observationsPerSecond, quantile } from '../expressions.js';

const { httpDuration, eventStreams } = cluster;
const coordinator = 'job="skipring-coordinator"';

export const api: Board = {
  uid: 'skipring-api',
  title: 'Skipring / API',
  description: 'The HTTP API of the coordinator: rate, errors, duration, and its own process.',
  variables: [],
  marksGenerations: false,
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by route',
          help: 'Answers per second, by the pattern of the route.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expression: observationsPerSecond(httpDuration, 'method, route'),
              legend: '{{method}} {{route}}',
            },
          ],
        },
        {
          title: 'Answers by status',
          help: '4xx are faults of clients, 5xx of the coordinator or its store.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            { expression: observationsPerSecond(httpDuration, 'status'), legend: '{{status}}' },
          ],
        },
        {
          title: 'Share of errors',
          help: 'Answers with 5xx; the alert fires above 5 %.',
          kind: 'lines',
          unit: 'percentunit',
          width: 8,
          thresholds: [{ from: 0.05, color: 'red' }],
          queries: [{ expression: 'skipring_http_request_errors:ratio5m', legend: '5xx' }],
        },
        {
          title: 'Duration, 95th percentile',
          help: 'By route. Event streams last as long as their follower stays.',
          kind: 'lines',
          unit: 's',
          width: 8,
          queries: [
            {
              expression: quantile(0.95, httpDuration, 'method, route'),
              legend: '{{method}} {{route}}',
            },
          ],
        },
        {
          title: 'Open event streams',
          help: 'Followers of jobs; 256 at most.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          thresholds: [{ from: 240, color: 'orange' }],
          queries: [{ expression: latest(eventStreams, 'instance'), legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Process',
      panels: [
        {
          title: 'CPU',
          help: 'Cores in use. The coordinator has one event loop: at 1 it is busy all the time.',
          kind: 'lines',
          unit: 'short',
          width: 6,
          thresholds: [{ from: 0.8, color: 'orange' }],
          queries: [
            {
              expression: `sum by (instance) (rate(process_cpu_seconds_total{${coordinator}}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Event loop lag, 99th percentile',
          help: 'How long a message may wait for its turn.',
          kind: 'lines',
          unit: 's',
          width: 6,
          queries: [
            {
              expression: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${coordinator}})`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Memory',
          help: 'Resident memory. A checkpoint that is being stored is held in memory.',
          kind: 'lines',
          unit: 'bytes',
          width: 6,
          queries: [
            {
              expression: `max by (instance) (process_resident_memory_bytes{${coordinator}})`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Open files',
          help: 'Sockets of workers and clients, and files.',
          kind: 'lines',
          unit: 'short',
          width: 6,
          queries: [
            {
              expression: `max by (instance) (process_open_fds{${coordinator}})`,
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
  ],
};
