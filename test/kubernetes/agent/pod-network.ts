import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint, EndpointSlice } from 'kubernetes-types/discovery/v1.js';
import type { ApiClient } from '../api-client.js';

const PRELOAD = fileURLToPath(new URL('pod-network-preload.mjs', import.meta.url));
const SERVICE_LABEL = 'kubernetes.io/service-name';

/**
 * Gives each Pod an address 10.244.x.y, which stands for 127.244.x.y of this machine, and each of its
 * processes the names of the cluster's services. It needs no rights and keeps no Pod from any port.
 */
export class PodNetwork {
  private readonly slices = new Map<string, EndpointSlice>();
  private readonly namesPath: string;
  private numPods = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.namesPath = join(directory, 'names.json');
  }

  async start(api: ApiClient, signal: AbortSignal): Promise<void> {
    await this.write();
    void api.watch<EndpointSlice>(
      '/apis/discovery.k8s.io/v1/endpointslices',
      signal,
      (slice, isDeleted) => {
        const uid = slice.metadata?.uid ?? '';
        if (isDeleted) this.slices.delete(uid);
        else this.slices.set(uid, slice);
        this.writing = this.writing.then(() => this.write());
      },
    );
  }

  nextAddress(): string {
    this.numPods += 1;
    return `10.244.${this.numPods >> 8}.${this.numPods & 255}`;
  }

  /** What a process of the Pod has to be told. */
  environment(podAddress: string): Record<string, string> {
    return {
      POD_ADDRESS: localAddress(podAddress),
      POD_NAMES: this.namesPath,
      NODE_OPTIONS: `--import=${PRELOAD}`,
    };
  }

  /** By name: a service's ready Pods, and each Pod of a headless service that has a host name. */
  private names(): Record<string, string[]> {
    const names: Record<string, string[]> = {};
    const add = (name: string, addresses: string[]): void => {
      names[name] = [...(names[name] ?? []), ...addresses];
    };
    for (const { metadata, endpoints } of this.slices.values()) {
      const service = `${metadata?.labels?.[SERVICE_LABEL]}`;
      const namespace = `${metadata?.namespace}`;
      const full = `${service}.${namespace}.svc`;
      // The API server writes an empty list as null.
      for (const { addresses, conditions, hostname } of (endpoints as Endpoint[] | null) ?? []) {
        const local = conditions?.ready === true ? addresses.map(localAddress) : [];
        for (const name of [service, `${service}.${namespace}`, full]) add(name, local);
        if (hostname !== undefined) add(`${hostname}.${full}`, local);
      }
    }
    return names;
  }

  private async write(): Promise<void> {
    await writeFile(`${this.namesPath}.partial`, JSON.stringify(this.names()));
    await rename(`${this.namesPath}.partial`, this.namesPath);
  }
}

/** Where a Pod's address is on this machine. */
export function localAddress(podAddress: string): string {
  return podAddress.replace(/^10\./, '127.');
}
