import {
  clusterMetrics as cluster,
  jobMetrics as job,
  workerProcessMetrics as worker,
} from '@skipring/metrics';
import type { Board } from '../board.js';
import { CHOSEN_JOBS, CHOSEN_WORKERS, latest, mean, perSecond, total } from '../expressions.js';

export const reliability: Board = {
  uid: 'skipring-reliability',
  title: 'Skipring / Reliability',
  description:
    'What broke, what it cost, and whether the replicas and checkpoints are as they should be.',
  variables: ['job', 'worker'],
  marksGenerations: true,
  rows: [
    {
      title: 'Faults',
      panels: [
        {
          title: 'Members lost',
          help: 'Workers that left a ring without being asked to, within the time shown.',
          kind: 'number',
          unit: 'short',
          width: 6,
          thresholds: [{ from: 0.5, color: 'orange' }],
          queries: [
            { expression: total(job.lostMembers, 'job_id', CHOSEN_JOBS), legend: '{{job_id}}' },
          ],
        },
        {
          title: 'Replicas diverged',
          help: 'Comparisons of parameter hashes that found more than one model, within the time shown. Anything but 0 is a fault.',
          kind: 'number',
          unit: 'short',
          width: 6,
          thresholds: [{ from: 0.5, color: 'red' }],
          queries: [
            {
              expression: total(job.hashChecks, 'job_id', CHOSEN_JOBS, 'result="diverged"'),
              legend: '{{job_id}}',
            },
          ],
        },
        {
          title: 'Attempt',
          help: 'Above 1, the job was tried again or resumed.',
          kind: 'number',
          unit: 'none',
          width: 6,
          thresholds: [{ from: 2, color: 'orange' }],
          queries: [
            { expression: latest(job.attempt, 'job_id', CHOSEN_JOBS), legend: '{{job_id}}' },
          ],
        },
        {
          title: 'Replicas agree',
          help: '1 while the last comparison of parameter hashes found the same on all ranks.',
          kind: 'number',
          unit: 'none',
          width: 6,
          thresholds: [
            { from: 0, color: 'red' },
            { from: 1, color: 'green' },
          ],
          queries: [
            { expression: latest(job.hashAgreement, 'job_id', CHOSEN_JOBS), legend: '{{job_id}}' },
          ],
        },
        {
          title: 'Generations',
          help: 'Each step upwards is a change of members: a recovery, a join or a drain.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [
            { expression: latest(job.generation, 'job_id', CHOSEN_JOBS), legend: '{{job_id}}' },
          ],
        },
        {
          title: 'Generations given up',
          help: 'By worker. Many workers at once: one of their peers went.',
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
          title: 'Connected to the coordinator',
          help: '1 while connected, as the worker sees it.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          max: 1,
          queries: [
            {
              expression: latest(worker.connected, 'instance', CHOSEN_WORKERS),
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Replicas and checkpoints',
      panels: [
        {
          title: 'Hash comparisons',
          help: 'Of the parameters of all ranks, by result.',
          kind: 'lines',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expression: perSecond(job.hashChecks, 'job_id, result', CHOSEN_JOBS),
              legend: '{{job_id}} {{result}}',
            },
          ],
        },
        {
          title: 'Steps since the last checkpoint',
          help: 'What would be trained again if all workers were lost now. The alert fires above twice the interval.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          queries: [
            {
              expression:
                `${latest(job.step, 'job_id', CHOSEN_JOBS)} - ` +
                latest(job.checkpointStep, 'job_id', CHOSEN_JOBS),
              legend: '{{job_id}}',
            },
            {
              expression: latest(job.checkpointInterval, 'job_id', CHOSEN_JOBS),
              legend: '{{job_id}} interval',
            },
          ],
        },
        {
          title: 'Checkpoint uploads',
          help: 'Refused ones are stale or not valid, and expected after a change of members; failed ones are a fault of the coordinator or its disk.',
          kind: 'lines',
          unit: 'reqps',
          width: 8,
          queries: [
            { expression: perSecond(cluster.checkpointUploads, 'result'), legend: '{{result}}' },
          ],
        },
        {
          title: 'Time that checkpoints hold training',
          help: 'The copy out of the session and the comparison of the replicas; packing and sending go on beside training.',
          kind: 'lines',
          unit: 's',
          width: 8,
          queries: [
            {
              expression: mean(worker.checkpointHeld, 'instance', CHOSEN_WORKERS),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Damaged checkpoints',
          help: 'Stored ones that did not match their checksums and were passed over, within the time shown. Anything but 0 is a fault of the storage.',
          kind: 'number',
          unit: 'short',
          width: 4,
          thresholds: [{ from: 0.5, color: 'red' }],
          queries: [{ expression: total(cluster.damagedCheckpoints, 'instance'), legend: '' }],
        },
        {
          title: "Room on the coordinator's disk",
          help: 'Of the file system that has data sets and, without an object store, checkpoints. The alert fires below 10 %.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            {
              expression: `${latest(cluster.dataDirectoryFree, 'instance')} / ${latest(cluster.dataDirectorySize, 'instance')}`,
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
  ],
};
