import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secret } from 'kubernetes-types/core/v1.js';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';
import type { ControlPlane } from './control-plane.js';
import { Daemon, listens } from './daemon.js';
import { ensureKeda, type KedaPrograms } from './programs/build.js';

const NAMESPACE = 'keda';
const CERTIFICATES_DEADLINE_MS = 60_000;

/** KEDA's operator and metrics server as processes of this machine, as administrators. */
export class Keda {
  private readonly daemons: Daemon[] = [];
  private readonly certificates: string;

  private constructor(private readonly plane: ControlPlane) {
    this.certificates = join(plane.directory, 'keda-certificates');
  }

  static async start(plane: ControlPlane): Promise<Keda> {
    const keda = new Keda(plane);
    try {
      await keda.startAll(await ensureKeda());
      return keda;
    } catch (error) {
      await keda.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) await daemon.stop();
  }

  private async startAll(programs: KedaPrograms): Promise<void> {
    const [metricsPort, adapterPort] = [await freePort(), await freePort()];
    await mkdir(this.certificates);
    await this.plane.kubectl.feed(registration(adapterPort), 'apply', '-f', '-');
    await this.makeCertificates(programs['keda-operator'], metricsPort);
    this.daemons.push(await this.startOperator(programs['keda-operator'], metricsPort));
    this.daemons.push(await this.startAdapter(programs['keda-adapter'], metricsPort, adapterPort));
    await until('the API server reaches the metrics server', async () => {
      const condition = '--for=condition=Available';
      const name = 'apiservice/v1beta1.external.metrics.k8s.io';
      await this.plane.kubectl.run('wait', condition, name, '--timeout=60s');
      return true;
    });
  }

  /** The operator makes them, puts them into a Secret and ends; a kubelet would show it the Secret. */
  private async makeCertificates(program: string, metricsPort: number): Promise<void> {
    const operator = await this.startOperator(program, metricsPort);
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/kedaorg-certs`;
    const data = await until(
      'KEDA has made its certificates',
      async () => {
        const secret = await this.plane.api.get<Secret>(path).catch(() => null);
        return secret?.data?.['tls.crt'] === undefined ? null : secret.data;
      },
      CERTIFICATES_DEADLINE_MS,
    );
    await operator.stop();
    for (const [name, content] of Object.entries(data)) {
      const file = join(this.certificates, name);
      await writeFile(file, Buffer.from(content, 'base64'), { mode: 0o600 });
    }
  }

  private async startOperator(program: string, metricsPort: number): Promise<Daemon> {
    const healthPort = await freePort();
    return Daemon.start({
      program,
      args: [
        '--enable-cert-rotation=true',
        `--cert-dir=${this.certificates}`,
        // The API server asks for no certificate of a loopback address, and there is no web hook.
        '--enable-apiservice-patching=false',
        '--enable-webhook-patching=false',
        '--enable-prometheus-metrics=false',
        `--health-probe-bind-address=127.0.0.1:${healthPort}`,
        `--metrics-service-bind-address=127.0.0.1:${metricsPort}`,
      ],
      environment: this.environment,
      logPath: join(this.plane.logDirectory, 'keda-operator.log'),
      isReady: async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok,
    });
  }

  private async startAdapter(
    program: string,
    metricsPort: number,
    adapterPort: number,
  ): Promise<Daemon> {
    const { kubeconfig } = this.plane;
    return Daemon.start({
      program,
      args: [
        `--cert-dir=${this.certificates}`,
        `--tls-cert-file=${join(this.certificates, 'tls.crt')}`,
        `--tls-private-key-file=${join(this.certificates, 'tls.key')}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${adapterPort}`,
        `--port=${await freePort()}`,
        `--metrics-service-address=127.0.0.1:${metricsPort}`,
        `--metrics-service-grpc-authority=keda-operator.${NAMESPACE}.svc`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
        `--lister-kubeconfig=${kubeconfig}`,
        '--authentication-skip-lookup=true',
      ],
      environment: this.environment,
      logPath: join(this.plane.logDirectory, 'keda-adapter.log'),
      isReady: () => listens(adapterPort),
    });
  }

  private get environment(): NodeJS.ProcessEnv {
    return {
      KUBECONFIG: this.plane.kubeconfig,
      POD_NAMESPACE: NAMESPACE,
      KEDA_CLUSTER_OBJECT_NAMESPACE: NAMESPACE,
      WATCH_NAMESPACE: '',
    };
  }
}

/**
 * The metrics server as a part of the API, at a port of this machine. The API server has no
 * certificate by which it could say for whom it asks, so whoever asks may read the metrics.
 */
function registration(port: number): string {
  const group = 'external.metrics.k8s.io';
  const name = 'keda-metrics-apiserver';
  const rules = [
    { apiGroups: [group], resources: ['*'], verbs: ['get', 'list'] },
    { nonResourceURLs: ['/apis/*', '/openapi/*'], verbs: ['get'] },
  ];
  const anyone = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:anonymous' };
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  const rbac = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: NAMESPACE },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1beta1.${group}` },
      spec: {
        group,
        version: 'v1beta1',
        service: { name, namespace: NAMESPACE, port },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
    { apiVersion: rbac, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: role,
      subjects: [anyone],
    },
  ]
    .map((object) => stringify(object))
    .join('---\n');
}
