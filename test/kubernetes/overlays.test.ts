import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { deployDirectory } from '../deploy/paths.js';
import type { ControlPlane } from './control-plane.js';
import { startControlPlane } from './deployment.js';

describe('the API server', () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane();
  });

  afterAll(async () => {
    await plane?.stop();
  });

  const apply = (input: string): Promise<{ stdout: string; stderr: string }> =>
    plane.kubectl.feed(
      input,
      'apply',
      '--dry-run=server',
      '--validate=strict',
      '--warnings-as-errors',
      '-f',
      '-',
    );

  it.each(['cpu', 'gpu', 'single-node', 'external-redis'])(
    'takes the overlay %s with no warning',
    async (overlay) => {
      const rendered = await plane.kubectl.run(
        'kustomize',
        join(deployDirectory, 'kubernetes/overlays', overlay),
      );
      const { stdout, stderr } = await apply(rendered);
      expect(stderr).toBe('');
      expect(stdout).toContain('statefulset.apps/skipring-worker created');
    },
  );

  it('takes every component that may be added, with no warning', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'skipring-overlay-'));
    try {
      const kubernetes = relative(directory, join(deployDirectory, 'kubernetes'));
      const kustomization = {
        resources: [`${kubernetes}/overlays/gpu`],
        components: ['external-redis', 'object-store', 'tracing'].map(
          (name) => `${kubernetes}/components/${name}`,
        ),
      };
      await writeFile(join(directory, 'kustomization.yaml'), stringify(kustomization));
      const rendered = await plane.kubectl.run('kustomize', directory);
      const { stdout, stderr } = await apply(rendered);
      expect(stderr).toBe('');
      expect(stdout).toContain('networkpolicy.networking.k8s.io/skipring-object-store created');
      expect(stdout).toContain('networkpolicy.networking.k8s.io/skipring-traces created');
      expect(rendered).toContain('s3://skipring/checkpoints');
      expect(rendered).not.toContain('REDIS_PASSWORD');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('would refuse a field that is not there, and warn of a Pod with too many rights', async () => {
    const pod = (spec: string): string =>
      `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: skipring}, spec: ${spec}}`;
    await expect(apply(pod('{containers: [{name: c, image: i, imge: i}]}'))).rejects.toThrow(
      'unknown field "spec.containers[0].imge"',
    );
    await expect(apply(pod('{containers: [{name: c, image: i}]}'))).rejects.toThrow(
      'violates PodSecurity "restricted:latest"',
    );
  });
});
