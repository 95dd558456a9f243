import { spawnSync } from 'node:child_process';

/** Of RFC 2544: for tests of networks alone. */
const SUBNET = `198.18.${process.pid % 250}`;
const NAME = `skr${process.pid}`;

/** How a worker's link may be impaired. */
export type Impairment =
  | 'lossy'
  /** Nothing comes or goes. */
  | 'cutOff';

/**
 * A bridge that this host is on, and a network namespace with a link to it for each worker. Needs
 * root, iproute2 and iptables.
 */
export class TestNetwork {
  private readonly namespaces: string[] = [];

  private constructor(readonly hasNetem: boolean) {}

  /** A network, or why there can be none on this machine. */
  static open(numWorkers: number): TestNetwork | string {
    const missing = ['ip', 'iptables'].find((program) => run(program, '-V') !== null);
    if (missing !== undefined) return `there is no program ${missing}`;
    const bridge = `${NAME}-bridge`;
    const problem = run('ip', 'netns', 'add', bridge);
    if (problem !== null) return problem;
    const hasNetem =
      run(
        'ip',
        'netns',
        'exec',
        bridge,
        ...'tc qdisc add dev lo root netem delay 1ms'.split(' '),
      ) === null;
    const network = new TestNetwork(hasNetem);
    network.namespaces.push(bridge);
    const steps = [
      `-n ${bridge} link add br0 type bridge`,
      `-n ${bridge} link set br0 up`,
      `link add ${NAME} type veth peer name host netns ${bridge}`,
      `addr add ${SUBNET}.1/24 dev ${NAME}`,
      `link set ${NAME} up`,
      `-n ${bridge} link set host master br0 up`,
      ...Array.from({ length: numWorkers }, (_, worker) =>
        network.linkWorker(bridge, worker),
      ).flat(),
    ];
    for (const step of steps) {
      const failed = run('ip', ...step.split(' '));
      if (failed === null) continue;
      network.close();
      return failed;
    }
    const refused = network.impair(0, 'lossy') ?? network.mend(0);
    if (refused === null) return network;
    network.close();
    return refused;
  }

  /** Where workers reach this host. */
  get hostAddress(): string {
    return `${SUBNET}.1`;
  }

  address(worker: number): string {
    return `${SUBNET}.${10 + worker}`;
  }

  /** What a command is begun with to run on the worker's side of its link. */
  inside(worker: number): readonly string[] {
    return ['ip', 'netns', 'exec', namespaceOf(worker)];
  }

  /** One packet in ten is lost, in a random order, and where the kernel has netem each is 50 ms late. */
  impair(worker: number, impairment: Impairment): string | null {
    if (impairment === 'cutOff') {
      return (
        this.exec(worker, 'iptables -A INPUT -i eth0 -j DROP') ??
        this.exec(worker, 'iptables -A OUTPUT -o eth0 -j DROP')
      );
    }
    return this.hasNetem
      ? this.exec(worker, 'tc qdisc replace dev eth0 root netem delay 50ms loss 10%')
      : this.exec(
          worker,
          'iptables -A INPUT -i eth0 -m statistic --mode random --probability 0.1 -j DROP',
        );
  }

  /** The two can't reach each other, and this host can reach both. */
  part(worker: number, other: number): string | null {
    return this.exec(worker, `iptables -A INPUT -s ${this.address(other)} -j DROP`);
  }

  /** The worker's link is as it was at first. */
  mend(worker: number): string | null {
    if (this.hasNetem) this.exec(worker, 'tc qdisc del dev eth0 root');
    return this.exec(worker, 'iptables -F');
  }

  close(): void {
    run('ip', 'link', 'del', NAME);
    for (const namespace of this.namespaces) run('ip', 'netns', 'del', namespace);
  }

  private linkWorker(bridge: string, worker: number): string[] {
    const namespace = namespaceOf(worker);
    this.namespaces.push(namespace);
    return [
      `netns add ${namespace}`,
      `-n ${namespace} link add eth0 type veth peer name w${worker} netns ${bridge}`,
      `-n ${namespace} addr add ${this.address(worker)}/24 dev eth0`,
      `-n ${namespace} link set lo up`,
      `-n ${namespace} link set eth0 up`,
      `-n ${bridge} link set w${worker} master br0 up`,
    ];
  }

  private exec(worker: number, command: string): string | null {
    const [program = '', ...rest] = this.inside(worker);
    return run(program, ...rest, ...command.split(' '));
  }
}

function namespaceOf(worker: number): string {
  return `${NAME}-w${worker}`;
}

/** Null when the command succeeded, else what it said. */
function run(program: string, ...values: string[]): string | null {
  const { error, status, stderr } = spawnSync(program, values, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? null : `${program} ${values.join(' ')}: ${stderr.trim()}`;
}
