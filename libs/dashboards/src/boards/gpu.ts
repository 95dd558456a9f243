import { deviceMetrics as device, workerProcessMetrics as worker } from '@skipring/metrics';
import type { Board } from '../board.js';
import { CHOSEN_WORKERS, latest, mean } from '../expressions.js';

const used = latest(device.memory, 'instance, device', CHOSEN_WORKERS);
const limit = latest(device.memoryLimit, 'instance, device', CHOSEN_WORKERS);

export const gpu: Board = {
  uid: 'skipring-gpu',
  title: 'Skipring / GPU',
  description: "The workers' GPUs: whether they compute, and whether their memory suffices.",
  variables: ['worker'],
  marksGenerations: false,
  rows: [
    {
      title: 'Use',
      panels: [
        {
          title: 'Utilization',
          help: 'Share of the time in which the device ran a kernel, however small. Low on all workers: data or the ring holds them up. Low on one: its share of the lanes is small, or it waits for a straggler.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            {
              expression: latest(device.utilization, 'instance, device', CHOSEN_WORKERS),
              legend: '{{instance}} {{device}}',
            },
          ],
        },
        {
          title: 'Compute time per step',
          help: 'Forward and backward pass of all lanes of a worker. A device that is slower than its like is hot, shared or of another model.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [
            {
              expression: mean(worker.partDuration, 'instance', CHOSEN_WORKERS, 'part="compute"'),
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Memory',
      panels: [
        {
          title: 'Memory in use',
          help: "By anybody on the device. TensorFlow takes memory as it needs it and keeps it, so this grows at a job's first steps and then stays.",
          kind: 'lines',
          unit: 'bytes',
          width: 12,
          queries: [
            { expression: used, legend: '{{instance}} {{device}}' },
            { expression: limit, legend: '{{instance}} {{device}} has' },
          ],
        },
        {
          title: 'Share of the memory',
          help: 'The alert fires above 95 %.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          thresholds: [
            { from: 0.85, color: 'orange' },
            { from: 0.95, color: 'red' },
          ],
          queries: [{ expression: `${used} / ${limit}`, legend: '{{instance}} {{device}}' }],
        },
      ],
    },
  ],
};
