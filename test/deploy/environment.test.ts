import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boards } from '@skipring/dashboards';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { deployDirectory, repository } from './paths.js';

interface Container {
  readonly name: string;
  readonly env?: { name: string; value?: string }[];
  readonly ports?: { name: string; containerPort: number }[];
}

/** Variables that an app's options name in its schema. */
function knownVariables(app: 'coordinator' | 'worker'): Set<string> {
  const source = readFileSync(join(repository, 'apps', app, 'src', 'options.ts'), 'utf8');
  return new Set([...source.matchAll(/^ {2}([A-Z0-9_]+): /gm)].map(([, name]) => name!));
}

function containers(): Container[] {
  return ['coordinator', 'worker'].flatMap((name) => {
    const path = join(deployDirectory, 'kubernetes', 'base', `${name}.yaml`);
    return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
      const { spec } = document.toJS() as {
        spec: { template?: { spec: { containers: Container[] } } };
      };
      return spec.template?.spec.containers ?? [];
    });
  });
}

/** `ENV` instructions of the images, as they are for both apps. */
function imageVariables(): string[] {
  const text = readFileSync(join(deployDirectory, 'docker', 'Dockerfile'), 'utf8');
  return [...text.matchAll(/\b(SKIPRING_[A-Z0-9_]+)=/g)].map(([, name]) => name!);
}

interface ComposeFile {
  readonly services: Record<
    string,
    { environment?: Record<string, string>; read_only?: boolean; user?: string }
  >;
}

const compose = parse(readFileSync(join(deployDirectory, 'docker', 'compose.yaml'), 'utf8'), {
  merge: true,
}) as ComposeFile;

describe('containers', () => {
  it.each(['coordinator', 'worker'] as const)('give a %s only variables that it knows', (app) => {
    const known = knownVariables(app);
    expect(known.size).toBeGreaterThan(5);
    const inCluster = containers().find(({ name }) => name === app)?.env ?? [];
    const given = [
      ...inCluster.map(({ name }) => name),
      ...Object.keys(compose.services[app]?.environment ?? {}),
    ].filter((name) => name.startsWith('SKIPRING_') || name === 'REDIS_URL');
    expect(given.length).toBeGreaterThan(5);
    expect(given.filter((name) => !known.has(name))).toEqual([]);
  });

  it('set only variables in the images that somebody knows', () => {
    const known = new Set([
      ...knownVariables('coordinator'),
      ...knownVariables('worker'),
      // Of the set-up, which runs while an image is built.
      'SKIPRING_COMPILER',
    ]);
    expect(imageVariables().filter((name) => !known.has(name))).toEqual([]);
  });

  it('tell the worker the ports that are opened for it', () => {
    const worker = containers().find(({ name }) => name === 'worker');
    const port = (name: string): number | undefined =>
      worker?.ports?.find((candidate) => candidate.name === name)?.containerPort;
    const value = (name: string): string | undefined =>
      worker?.env?.find((candidate) => candidate.name === name)?.value;
    expect(value('SKIPRING_WORKER_RING_PORT')).toBe(String(port('ring')));
    expect(value('SKIPRING_WORKER_METRICS_PORT')).toBe(String(port('metrics')));
  });

  it('ask the autoscaler for as many workers at most as the coordinator counts with', () => {
    const path = join(deployDirectory, 'kubernetes/components/autoscaling/scaled-object.yaml');
    const { spec } = parse(readFileSync(path, 'utf8')) as { spec: { maxReplicaCount: number } };
    const coordinator = containers().find(({ name }) => name === 'coordinator');
    const limit = coordinator?.env?.find(({ name }) => name === 'SKIPRING_MAX_WORKERS')?.value;
    expect(limit).toBe(String(spec.maxReplicaCount));
  });

  it('ask the autoscaler for workers of the threads that the StatefulSet has', () => {
    const path = join(deployDirectory, 'kubernetes/components/autoscaling/scaled-object.yaml');
    const worker = containers().find(({ name }) => name === 'worker');
    const threads = worker?.env?.find(({ name }) => name === 'SKIPRING_WORKER_THREADS')?.value;
    expect(readFileSync(path, 'utf8')).toContain(`skipring_desired_workers{threads="${threads}"}`);
  });

  it('of compose have a root file system that cannot be written to', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.read_only, name).toBe(true);
    }
  });

  it('hold every dashboard in a ConfigMap', () => {
    const { configMapGenerator } = parse(
      readFileSync(join(deployDirectory, 'grafana', 'kustomization.yaml'), 'utf8'),
    ) as { configMapGenerator: { files: string[] }[] };
    const listed = configMapGenerator.flatMap(({ files }) => files);
    expect(listed.sort()).toEqual(boards.map(({ uid }) => `dashboards/${uid}.json`).sort());
  });
});
