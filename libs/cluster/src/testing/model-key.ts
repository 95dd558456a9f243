import type { CoordinatorMessage, Fence } from '@skipring/protocol';
import type { Cluster } from '../cluster.js';
import type { Generation, Trained } from '../state.js';
import { stateOf } from './copy.js';
import type { ModelWorker } from './model-parts.js';
import type { Report } from './simulation/simulated-worker.js';

/** All of a cluster with one job that decides what it does next, but for clocks and texts. */
export function clusterKey(cluster: Cluster): unknown {
  const { jobs, workers } = stateOf(cluster);
  return [
    [...jobs.values()].map((run) => [
      [run.state, fenceKey(run.fence), generationKey(run.generation), run.ranks],
      trainedKey(run.trained),
      [[...run.holders].sort(), [...run.leaving].sort(), run.regroup === null],
      [run.checkpointStep, run.committedStep, run.heldStep, run.numBroken],
    ]),
    [...workers.values()].map(({ id, draining, released, jobId, stopping, loading, held }) => [
      [id, draining, released, jobId, fenceKey(stopping?.fence ?? null), held?.step],
      [fenceKey(loading?.fence ?? null), loading?.state],
    ]),
  ];
}

function generationKey(generation: Generation | null): unknown {
  if (generation === null) return null;
  const { phase, broken, members, checkpointStep, ready, finished, absent } = generation;
  return [
    [phase, broken, checkpointStep, members.map(({ workerId }) => workerId)],
    [...ready].map(([rank, { position }]) => [rank, position.step]).sort(),
    [[...finished.keys()].sort(), [...absent].sort()],
  ];
}

function trainedKey(trained: Trained | null): unknown {
  if (trained === null) return null;
  return [fenceKey(trained.fence), trained.ranks, trained.unproven.map(({ step }) => step)];
}

export function workerKey(worker: ModelWorker): unknown {
  const { isAlive, isGone, link, inbox, outbox, step, uploading, membership } = worker;
  const { start } = membership ?? {};
  return [
    [isAlive, isGone, link.worker, link.coordinator, step, uploading],
    inbox.map(messageKey),
    outbox.map(messageKey),
    membership === null
      ? null
      : [
          [membership.ring, membership.members, membership.rank, membership.copied],
          [membership.isSynchronised, membership.isAborted, membership.isFinished],
          start === null || start === undefined ? null : [start.step, start.source, start.isBehind],
        ],
  ];
}

function messageKey(message: CoordinatorMessage | Report): unknown {
  switch (message.type) {
    case 'prepare':
      return [
        ['prepare', fenceKey(message.fence), message.rank, message.checkpointStep],
        message.members.map(({ workerId }) => workerId),
      ];
    case 'start':
      return [
        'start',
        fenceKey(message.fence),
        message.position.step,
        message.sourceRank,
        message.behind,
      ];
    case 'stop':
      return ['stop', fenceKey(message.fence), message.checkpoint];
    case 'ready':
    case 'aborted':
      return [message.type, fenceKey(message.fence), message.position.step];
    case 'step':
      return ['step', fenceKey(message.fence), message.rank, message.step];
    case 'load':
    case 'loaded':
    case 'finished':
    case 'stopped':
    case 'layers':
    case 'notice':
    case 'evaluation':
    case 'checkpoint':
      return [message.type, fenceKey(message.fence)];
    case 'heartbeat':
    case 'leave':
    case 'faults':
    case 'faultFired':
    case 'welcome':
    case 'released':
    case 'refused':
      return message.type;
  }
}

function fenceKey(fence: Fence | null): string | null {
  return fence === null ? null : `${fence.attempt}/${fence.generation}`;
}
