import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { deployDirectory } from './paths.js';

interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly priorityClassName?: string;
  readonly securityContext: Record<string, unknown>;
  readonly containers: {
    readonly image: string;
    readonly securityContext: Record<string, unknown>;
    readonly startupProbe?: unknown;
    readonly livenessProbe?: unknown;
    readonly readinessProbe?: unknown;
    readonly resources: { readonly requests: object; readonly limits: Record<string, string> };
  }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly replicas?: number; readonly template?: { readonly spec: Pod } };
}

const OVERLAYS = ['cpu', 'gpu', 'single-node'] as const;
const CLUSTER_WIDE = ['Namespace', 'PriorityClass'];
const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

function render(overlay: string): Manifest[] {
  const path = join(deployDirectory, 'kubernetes', 'overlays', overlay);
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

describe.skipIf(!hasKubectl)('kustomize overlays (need the program kubectl)', () => {
  it.each(OVERLAYS)('%s is within one namespace', (overlay) => {
    for (const { kind, metadata } of render(overlay)) {
      const expected = CLUSTER_WIDE.includes(kind) ? undefined : 'skipring';
      expect(metadata.namespace, `${kind} ${metadata.name}`).toBe(expected);
    }
  });

  it.each(OVERLAYS)('%s has Pods that the restricted standard admits', (overlay) => {
    const pods = render(overlay).flatMap(({ spec }) => spec?.template?.spec ?? []);
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.priorityClassName).toMatch(/^skipring-/);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.image).toMatch(/:\d+\.\d+\.\d+/);
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.startupProbe).toBeDefined();
        expect(container.livenessProbe).toBeDefined();
        expect(container.readinessProbe).toBeDefined();
        expect(container.resources.limits.memory).toBeDefined();
      }
    }
  });

  it('leave the number of workers to the autoscaler where there is one', () => {
    const replicas = (overlay: string): number | undefined =>
      render(overlay).find(
        ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'skipring-worker',
      )?.spec?.replicas;
    expect(replicas('cpu')).toBeUndefined();
    expect(replicas('gpu')).toBeUndefined();
    expect(replicas('single-node')).toBe(2);
  });

  it('give each worker of `gpu` one GPU and the image for it', () => {
    const worker = render('gpu')
      .flatMap(({ spec }) => spec?.template?.spec.containers ?? [])
      .find(({ image }) => image.includes('worker'));
    expect(worker?.image).toContain('worker-cuda');
    expect(worker?.resources.limits['nvidia.com/gpu']).toBe('1');
  });

  it('want neither KEDA nor the Prometheus operator on a single node', () => {
    const kinds = render('single-node').map(({ kind }) => kind);
    expect(kinds).not.toContain('ScaledObject');
    expect(kinds).not.toContain('PodMonitor');
    expect(kinds).toContain('NetworkPolicy');
  });
});
