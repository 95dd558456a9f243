import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import type { PersistentVolume, Pod, Secret } from 'kubernetes-types/core/v1.js';
import { deployDirectory } from '../deploy/paths.js';
import { until } from '../support/until.js';
import { localAddress } from './agent/pod-network.js';
import { NodeAgent } from './agent/node-agent.js';
import type { NodeDescription } from './agent/nodes.js';
import { ControlPlane } from './control-plane.js';
import { crdDirectories, ensureControlPlane } from './programs/build.js';

export const NAMESPACE = 'skipring';
export const START_DEADLINE_MS = 180_000;

const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** A cluster with the definitions that the overlays need, and the namespace of Skipring. */
export async function startControlPlane(): Promise<ControlPlane> {
  const plane = await ControlPlane.start(await ensureControlPlane());
  try {
    const { kubectl } = plane;
    for (const directory of await crdDirectories()) {
      await kubectl.run('apply', '--server-side', '-f', directory);
    }
    await kubectl.run('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
    await kubectl.run('apply', '-f', join(deployDirectory, 'kubernetes/base/namespace.yaml'));
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/** Skipring as installed on a cluster whose Nodes are the test's own. */
export class Deployment {
  private constructor(
    readonly plane: ControlPlane,
    readonly agent: NodeAgent,
    private readonly apiToken: string,
  ) {}

  /** @param overlay directory of a kustomization */
  static async install(overlay: string, nodes: readonly NodeDescription[]): Promise<Deployment> {
    const plane = await startControlPlane();
    let agent: NodeAgent | null = null;
    try {
      const apiToken = randomBytes(24).toString('hex');
      await createSecret(plane, apiToken);
      await createVolumes(plane);
      agent = await NodeAgent.start(plane, nodes);
      await plane.kubectl.run('apply', '-k', overlay, '--warnings-as-errors');
      const deployment = new Deployment(plane, agent, apiToken);
      await deployment.coordinatorReady();
      return deployment;
    } catch (error) {
      await agent?.stop();
      await plane.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.plane.stop();
  }

  /** Where the one ready coordinator listens, as `host:port`. */
  async coordinatorAddress(): Promise<string> {
    const [coordinator] = (await this.pods('coordinator')).filter(isReady);
    if (coordinator === undefined) throw new Error('no coordinator is ready');
    return `${localAddress(coordinator.status?.podIP ?? '')}:7400`;
  }

  /** Of a user. It is another one after the coordinator has been replaced. */
  async client(): Promise<SkipringClient> {
    return new SkipringClient({
      url: `http://${await this.coordinatorAddress()}`,
      token: this.apiToken,
    });
  }

  get token(): string {
    return this.apiToken;
  }

  async pods(component: string): Promise<Pod[]> {
    const query = new URLSearchParams({
      labelSelector: `app.kubernetes.io/component=${component}`,
    }).toString();
    const { items } = await this.plane.api.get<{ items: Pod[] }>(`${pods}?${query}`);
    return items;
  }

  /** Resolves when exactly so many workers are ready and none is going. */
  async workersReady(count: number): Promise<void> {
    await until(
      `${count} workers are ready`,
      async () => {
        if (this.agent.failures.length > 0) throw this.agent.failures[0];
        const workers = await this.pods('worker');
        return workers.length === count && workers.every(isReady) ? true : null;
      },
      START_DEADLINE_MS,
    );
  }

  async coordinatorReady(): Promise<void> {
    await until(
      'a coordinator is ready',
      async () => {
        if (this.agent.failures.length > 0) throw this.agent.failures[0];
        const coordinators = await this.pods('coordinator');
        return coordinators.length === 1 && coordinators.every(isReady) ? true : null;
      },
      START_DEADLINE_MS,
    );
  }
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return metadata?.deletionTimestamp === undefined && ready?.status === 'True';
}

async function createSecret({ api }: ControlPlane, apiToken: string): Promise<void> {
  await api.create<Secret>(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: 'skipring' },
    stringData: {
      'api-token': apiToken,
      'join-token': randomBytes(24).toString('hex'),
      'redis-password': randomBytes(24).toString('hex'),
    },
  });
}

/** Directories of this machine, for the claims of the coordinator and of Redis. */
async function createVolumes({ api, directory }: ControlPlane): Promise<void> {
  for (const name of ['volume-1', 'volume-2']) {
    const path = join(directory, name);
    await mkdir(path);
    await api.create<PersistentVolume>('/api/v1/persistentvolumes', {
      metadata: { name },
      spec: {
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path },
      },
    });
  }
}
