import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.js';
import { ApiClient } from './api-client.js';
import { Daemon, listens } from './daemon.js';
import { Kubectl } from './kubectl.js';
import type { ControlPlanePrograms } from './programs/build.js';

/** As kubeadm chooses it. */
const SERVICE_RANGE = '10.96.0.0/16';

/**
 * etcd, the API server, the controller manager and the scheduler as processes of this machine, in a
 * directory of their own. Whoever has the kubeconfig is the administrator.
 */
export class ControlPlane {
  private readonly daemons: Daemon[] = [];

  private constructor(
    readonly directory: string,
    readonly kubeconfig: string,
    readonly kubectl: Kubectl,
    private readonly proxyPort: number,
  ) {}

  static async start(programs: ControlPlanePrograms): Promise<ControlPlane> {
    const directory = await mkdtemp(join(tmpdir(), 'skipring-kubernetes-'));
    const kubeconfig = join(directory, 'kubeconfig');
    const kubectl = new Kubectl(programs.kubectl, kubeconfig);
    const plane = new ControlPlane(directory, kubeconfig, kubectl, await freePort());
    try {
      await mkdir(plane.logDirectory);
      await plane.startAll(programs);
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  get logDirectory(): string {
    return join(this.directory, 'logs');
  }

  /** Of an administrator, by way of `kubectl proxy`, which needs no certificate. */
  get api(): ApiClient {
    return new ApiClient(`http://127.0.0.1:${this.proxyPort}`);
  }

  async stop(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) await daemon.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async startAll(programs: ControlPlanePrograms): Promise<void> {
    const etcdPort = await this.startEtcd(programs.etcd);
    await this.startApiServer(programs['kube-apiserver'], etcdPort);
    await this.run(programs.kubectl, [`proxy`, `--port=${this.proxyPort}`], () =>
      this.api.isReady(),
    );
    await Promise.all([
      this.startController(programs['kube-controller-manager'], [
        `--service-account-private-key-file=${join(this.directory, 'service-accounts.key')}`,
        // A Node that is gone is noticed in seconds.
        '--node-monitor-period=1s',
        '--node-monitor-grace-period=20s',
        // So that the autoscaler's decisions come within the time of a test.
        '--horizontal-pod-autoscaler-sync-period=2s',
        '--concurrent-statefulset-syncs=5',
      ]),
      this.startController(programs['kube-scheduler'], []),
    ]);
  }

  private async startEtcd(program: string): Promise<number> {
    const [clients, peers] = [await freePort(), await freePort()];
    await this.run(
      program,
      [
        `--data-dir=${join(this.directory, 'etcd')}`,
        `--listen-client-urls=http://127.0.0.1:${clients}`,
        `--advertise-client-urls=http://127.0.0.1:${clients}`,
        `--listen-peer-urls=http://127.0.0.1:${peers}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peers}`,
        `--initial-cluster=default=http://127.0.0.1:${peers}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
      async () => (await fetch(`http://127.0.0.1:${clients}/health`)).ok,
    );
    return clients;
  }

  private async startApiServer(program: string, etcdPort: number): Promise<void> {
    const port = await freePort();
    const token = randomBytes(24).toString('hex');
    const tokens = join(this.directory, 'tokens.csv');
    await writeFile(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
    const key = join(this.directory, 'service-accounts.key');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    await writeFile(this.kubeconfig, kubeconfigOf(port, token), { mode: 0o600 });
    await this.run(
      program,
      [
        `--etcd-servers=http://127.0.0.1:${etcdPort}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        // It makes itself a certificate there.
        `--cert-dir=${join(this.directory, 'certificates')}`,
        `--token-auth-file=${tokens}`,
        '--authorization-mode=RBAC',
        `--service-cluster-ip-range=${SERVICE_RANGE}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${key}`,
        `--service-account-signing-key-file=${key}`,
        // Of itself: an address of the loopback interface may not be an endpoint.
        '--endpoint-reconciler-type=none',
      ],
      async () => (await this.kubectl.run('get', '--raw', '/readyz')) === 'ok',
    );
  }

  private async startController(program: string, args: readonly string[]): Promise<void> {
    const port = await freePort();
    await this.run(
      program,
      [
        `--kubeconfig=${this.kubeconfig}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${join(this.directory, `certificates-${port}`)}`,
        '--leader-elect=false',
        ...args,
      ],
      () => listens(port),
    );
  }

  private async run(
    program: string,
    args: readonly string[],
    isReady: () => Promise<boolean>,
  ): Promise<void> {
    const name = program.split('/').at(-1);
    this.daemons.push(
      await Daemon.start({
        program,
        args,
        isReady,
        logPath: join(this.logDirectory, `${name}.log`),
        environment: { KUBECONFIG: this.kubeconfig },
      }),
    );
  }
}

function kubeconfigOf(port: number, token: string): string {
  const server = `https://127.0.0.1:${port}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}
