import { setTimeout as pause } from 'node:timers/promises';
import type { Lease } from 'kubernetes-types/coordination/v1.js';
import type { Node } from 'kubernetes-types/core/v1.js';
import type { ApiClient } from '../api-client.js';

const LEASE_SECONDS = 10;
const RENEW_MS = 3_000;

export interface NodeDescription {
  readonly name: string;
  /** 0: a machine without the device, and without its taint. */
  readonly numGpus: number;
}

/** Tells the API server of a Node that has room, and whose GPUs only Pods that tolerate it may use. */
export async function registerNode(api: ApiClient, node: NodeDescription): Promise<void> {
  const { name, numGpus } = node;
  const taint = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' };
  await api.create<Node>('/api/v1/nodes', {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: numGpus === 0 ? {} : { taints: [taint] },
  });
  const capacity = {
    cpu: '64',
    memory: '256Gi',
    'ephemeral-storage': '1Ti',
    pods: '100',
    ...(numGpus === 0 ? {} : { 'nvidia.com/gpu': `${numGpus}` }),
  };
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'AgentReady', lastHeartbeatTime: now };
  await api.patch<Node>(`/api/v1/nodes/${name}/status`, {
    status: { capacity, allocatable: capacity, conditions: [ready] },
  });
  await api.create<Lease>(leases, leaseOf(name));
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** A Node whose lease is not renewed counts as lost. */
export async function keepLease(
  api: ApiClient,
  { name }: NodeDescription,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(RENEW_MS, null, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await api.mergePatch(`${leases}/${name}`, leaseOf(name)).catch(() => undefined);
  }
}

function leaseOf(name: string): Lease {
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  return {
    metadata: { name, namespace: 'kube-node-lease' },
    spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
  };
}
