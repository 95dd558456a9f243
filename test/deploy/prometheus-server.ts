import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

export interface Targets {
  readonly coordinator: string;
  /** Null: the coordinator asks for none. */
  readonly token: string | null;
  readonly workers: readonly string[];
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the value as Prometheus writes it. */
  readonly value: readonly [number, string];
}

/** A series over time; values as in `Sample`. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly type: 'alerting' | 'recording';
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus that scrapes every second and evaluates the rules of `deploy`. */
export class PrometheusServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    private readonly url: string,
  ) {}

  /** @param port to listen at, on loopback; any free one without it */
  static async start(
    program: string,
    rules: string,
    targets: Targets,
    port?: number,
  ): Promise<PrometheusServer> {
    const directory = await mkdtemp(join(tmpdir(), 'skipring-prometheus-'));
    await cp(rules, join(directory, 'rules'), { recursive: true });
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules/*.yaml'],
      scrape_configs: [
        {
          job_name: 'skipring-coordinator',
          ...(targets.token === null ? {} : { authorization: { credentials: targets.token } }),
          static_configs: [{ targets: [targets.coordinator] }],
        },
        { job_name: 'skipring-worker', static_configs: [{ targets: targets.workers }] },
      ],
    };
    await writeFile(join(directory, 'prometheus.yaml'), stringify(config), { mode: 0o600 });
    const listenPort = port ?? (await freePort());
    const child = spawn(
      program,
      [
        `--config.file=${join(directory, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${listenPort}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const server = new PrometheusServer(child, directory, `http://127.0.0.1:${listenPort}`);
    try {
      await until('Prometheus is ready', async () => {
        if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`);
        const answer = await fetch(`${server.url}/-/ready`).catch(() => null);
        return answer?.ok === true ? true : null;
      });
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Result of an instant query, now. */
  async query(expression: string): Promise<Sample[]> {
    const { result } = await this.get<{ result: Sample[] }>(
      `/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
    );
    return result;
  }

  /** Its values, a second apart, between two times in seconds since 1970. */
  async queryRange(expression: string, from: number, to: number): Promise<Series[]> {
    const parameters = { query: expression, start: `${from}`, end: `${to}`, step: '1' };
    const { result } = await this.get<{ result: Series[] }>(
      `/api/v1/query_range?${new URLSearchParams(parameters).toString()}`,
    );
    return result;
  }

  async rules(): Promise<RuleState[]> {
    const { groups } = await this.get<{ groups: { rules: RuleState[] }[] }>('/api/v1/rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const rules = await this.rules();
    return rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  private async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    const body = (await response.json()) as
      { status: 'success'; data: T } | { status: 'error'; error: string };
    if (body.status === 'error') throw new Error(`${path}: ${body.error}`);
    return body.data;
  }
}
