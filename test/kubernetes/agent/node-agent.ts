import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.js';
import type { ControlPlane } from '../control-plane.js';
import { images } from './images.js';
import { keepLease, registerNode, type NodeDescription } from './nodes.js';
import { PodNetwork } from './pod-network.js';
import { PodProcess, type PodSurroundings } from './pod-process.js';

const KILL_GRACE_MS = 5_000;

/**
 * What the kubelets of a cluster do, for Nodes that are names only: it runs each Pod that the
 * scheduler binds to one of them as processes of this machine, with the Pod's environment, probes and
 * signals. It knows the kinds of volumes, variables and probes that Skipring's manifests use.
 */
export class NodeAgent {
  private readonly pods = new Map<string, PodProcess>();
  private readonly ending = new AbortController();
  /** Of Pods that could not be run. */
  readonly failures: unknown[] = [];

  private constructor(private readonly surroundings: PodSurroundings) {}

  static async start(plane: ControlPlane, nodes: readonly NodeDescription[]): Promise<NodeAgent> {
    const directory = join(plane.directory, 'pods');
    await mkdir(directory);
    const network = new PodNetwork(directory);
    const { api, logDirectory } = plane;
    const surroundings = { api, network, images: await images(), directory, logDirectory };
    const agent = new NodeAgent(surroundings);
    const { signal } = agent.ending;
    await network.start(api, signal);
    for (const node of nodes) {
      await registerNode(api, node);
      void keepLease(api, node, signal);
    }
    void api.watch<Pod>('/api/v1/pods', signal, (pod, isDeleted) => {
      void agent.seen(pod, isDeleted).catch((error: unknown) => agent.failures.push(error));
    });
    return agent;
  }

  /** Process ids of a Pod's containers. Throws when it runs none. */
  pidsOf(podName: string): number[] {
    const found = [...this.pods.values()].find(({ name }) => name === podName);
    if (found === undefined) throw new Error(`no Pod ${podName} runs`);
    return found.pids;
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all([...this.pods.values()].map((pod) => pod.kill(KILL_GRACE_MS)));
  }

  private async seen(pod: Pod, isDeleted: boolean): Promise<void> {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata ?? {};
    const known = this.pods.get(uid);
    if (known === undefined) {
      if (isDeleted || pod.spec?.nodeName === undefined) return;
      const process = new PodProcess(pod, this.surroundings);
      this.pods.set(uid, process);
      await process.start();
    } else if (isDeleted) {
      this.pods.delete(uid);
      await known.kill(0);
    } else if (deletionTimestamp !== undefined) {
      await known.terminate(deletionGracePeriodSeconds);
    }
  }
}
