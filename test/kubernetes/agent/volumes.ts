import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Container,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from 'kubernetes-types/core/v1.js';
import type { ApiClient } from '../api-client.js';

/** Directories of this machine that stand for a Pod's volumes. */
export class Volumes {
  private constructor(private readonly paths: ReadonlyMap<string, string>) {}

  /** @param directory of the Pod: what is no claim ends with it */
  static async prepare(api: ApiClient, pod: Pod, directory: string): Promise<Volumes> {
    const paths = new Map<string, string>();
    for (const { name, persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      const path =
        persistentVolumeClaim === undefined
          ? join(directory, name)
          : await claimedPath(api, pod.metadata?.namespace ?? '', persistentVolumeClaim.claimName);
      await mkdir(path, { recursive: true });
      paths.set(name, path);
    }
    return new Volumes(paths);
  }

  /** Text of a container with the paths of its mounts made those of this machine. */
  localize(text: string, { volumeMounts = [] }: Container): string {
    const mounts = [...volumeMounts].sort((a, b) => b.mountPath.length - a.mountPath.length);
    return mounts.reduce((result, { name, mountPath }) => {
      const path = new RegExp(`(?<![\\w/.-])${mountPath}(?![\\w.-])`, 'g');
      return result.replace(path, this.paths.get(name) ?? mountPath);
    }, text);
  }
}

async function claimedPath(api: ApiClient, namespace: string, name: string): Promise<string> {
  const claim = await api.get<PersistentVolumeClaim>(
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
  );
  const volume = await api.get<PersistentVolume>(
    `/api/v1/persistentvolumes/${claim.spec?.volumeName}`,
  );
  const path = volume.spec?.hostPath?.path;
  if (path === undefined) throw new Error(`claim ${name} has no directory of this machine`);
  return path;
}
