import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod, PodStatus, Secret } from 'kubernetes-types/core/v1.js';
import { ApiError, type ApiClient } from '../api-client.js';
import { ContainerProcess } from './container-process.js';
import { containerEnvironment, expand } from './environment.js';
import { repositoryOf, type Image } from './images.js';
import { localAddress, type PodNetwork } from './pod-network.js';
import { podStatus } from './pod-status.js';
import { Volumes } from './volumes.js';

export interface PodSurroundings {
  readonly api: ApiClient;
  readonly network: PodNetwork;
  readonly images: ReadonlyMap<string, Image>;
  readonly directory: string;
  readonly logDirectory: string;
}

/** A Pod that is bound to a Node of the agent: its containers as processes, its status as told. */
export class PodProcess {
  private readonly containers = new Map<string, ContainerProcess>();
  private readonly startedAt = new Date();
  private readonly address: string;
  private readonly directory: string;
  private reporting: Promise<void> = Promise.resolve();
  private isGoing = false;

  constructor(
    private readonly pod: Pod,
    private readonly surroundings: PodSurroundings,
  ) {
    this.address = surroundings.network.nextAddress();
    this.directory = join(surroundings.directory, pod.metadata?.uid ?? '');
  }

  get name(): string {
    return this.pod.metadata?.name ?? '';
  }

  /** Process ids of its containers. */
  get pids(): number[] {
    return [...this.containers.values()].flatMap(({ pid }) => pid ?? []);
  }

  async start(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const volumes = await Volumes.prepare(this.surroundings.api, this.pod, this.directory);
    for (const container of this.pod.spec?.containers ?? []) {
      const process = await this.prepare(container, volumes);
      this.containers.set(container.name, process);
      await process.start();
    }
  }

  /** The Pod is to go: its containers are stopped within the grace period, then it is forgotten. */
  async terminate(graceSeconds: number): Promise<void> {
    if (this.isGoing) return;
    this.isGoing = true;
    await this.kill(graceSeconds * 1_000);
    await this.report();
    const { uid } = this.pod.metadata ?? {};
    await this.surroundings.api
      .remove(this.path, { gracePeriodSeconds: 0, preconditions: { uid } })
      .catch(ignoreMissing);
  }

  /** Stops its containers and says nothing to anybody. */
  async kill(graceMs: number): Promise<void> {
    await Promise.all([...this.containers.values()].map((container) => container.stop(graceMs)));
    await rm(this.directory, { recursive: true, force: true });
  }

  private get path(): string {
    const { namespace, name } = this.pod.metadata ?? {};
    return `/api/v1/namespaces/${namespace}/pods/${name}`;
  }

  private async prepare(container: Container, volumes: Volumes): Promise<ContainerProcess> {
    const { network, images, logDirectory } = this.surroundings;
    const image = images.get(repositoryOf(container.image ?? ''));
    if (image === undefined) throw new Error(`no program stands for image ${container.image}`);
    const given = await containerEnvironment(container, {
      field: (path) => this.field(path),
      secret: (name, key) => this.secret(name, key),
    });
    const localize = (text: string): string => volumes.localize(expand(text, given), container);
    const environment = {
      PATH: [...image.path, process.env.PATH].join(':'),
      HOME: this.directory,
      ...image.environment,
      ...network.environment(this.address),
      ...Object.fromEntries(Object.entries(given).map(([key, value]) => [key, localize(value)])),
    };
    return new ContainerProcess({
      target: { container, environment, address: localAddress(this.address) },
      command: [...(container.command ?? image.command), ...(container.args ?? [])].map(localize),
      logPath: join(logDirectory, `${this.pod.metadata?.name}.log`),
      onChange: () => {
        this.reporting = this.reporting.then(() => this.report());
      },
    });
  }

  private field(path: string): string {
    const { metadata, spec } = this.pod;
    const fields: Record<string, string | undefined> = {
      'metadata.name': metadata?.name,
      'metadata.namespace': metadata?.namespace,
      'metadata.uid': metadata?.uid,
      'spec.nodeName': spec?.nodeName,
      'status.podIP': this.address,
    };
    const value = fields[path];
    if (value === undefined) throw new Error(`this agent does not know the field ${path}`);
    return value;
  }

  private async secret(name: string, key: string): Promise<string> {
    const path = `/api/v1/namespaces/${this.pod.metadata?.namespace}/secrets/${name}`;
    const { data = {} } = await this.surroundings.api.get<Secret>(path);
    if (data[key] === undefined) throw new Error(`secret ${name} has no ${key}`);
    return Buffer.from(data[key], 'base64').toString('utf8');
  }

  private async report(): Promise<void> {
    const status: PodStatus = podStatus(this.pod, {
      address: this.address,
      startedAt: this.startedAt,
      containers: new Map([...this.containers].map(([name, { state }]) => [name, state])),
    });
    await this.surroundings.api.patch(`${this.path}/status`, { status }).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (error instanceof ApiError && [404, 409].includes(error.status)) return;
  throw error;
}
