import type { ContainerStatus, Pod, PodCondition, PodStatus } from 'kubernetes-types/core/v1.js';
import type { ContainerState } from './container-process.js';

export interface PodState {
  readonly address: string;
  readonly startedAt: Date;
  /** By the container's name. */
  readonly containers: ReadonlyMap<string, ContainerState>;
}

/** A Pod's status as its containers' states make it. */
export function podStatus(pod: Pod, { address, startedAt, containers }: PodState): PodStatus {
  const specs = pod.spec?.containers ?? [];
  const statuses = specs.flatMap(({ name, image = '' }): ContainerStatus[] => {
    const state = containers.get(name);
    return state === undefined ? [] : [containerStatus(name, image, state)];
  });
  const isWhole = statuses.length === specs.length;
  const isReady = isWhole && statuses.every(({ ready }) => ready);
  return {
    phase: isWhole ? 'Running' : 'Pending',
    hostIP: '127.0.0.1',
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: startedAt.toISOString(),
    conditions: [
      condition('Initialized', true),
      condition('ContainersReady', isReady),
      condition('Ready', isReady),
    ],
    containerStatuses: statuses,
  };
}

function containerStatus(name: string, image: string, state: ContainerState): ContainerStatus {
  const { isRunning, isStarted, isReady, restartCount, startedAt, exitCode } = state;
  return {
    name,
    image,
    imageID: image,
    ready: isRunning && isReady,
    started: isStarted,
    restartCount,
    state: isRunning
      ? { running: { startedAt: startedAt.toISOString() } }
      : { terminated: { exitCode: exitCode ?? 0, reason: exitCode === 0 ? 'Completed' : 'Error' } },
  };
}

function condition(type: string, isTrue: boolean): PodCondition {
  return { type, status: isTrue ? 'True' : 'False', lastTransitionTime: new Date().toISOString() };
}
