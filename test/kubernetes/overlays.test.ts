import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
