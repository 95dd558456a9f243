import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of RFC 2544: for tests of networks alone. */
const SUBNET = `198.18.${process.pid % 250}`;
const NAME = `skr${process.pid}`;
const DELAY_MS = 50;
const LATE_LINK = fileURLToPath(new URL('late_link.py', import.meta.url));

/** How a worker's link may be impaired. */
export type Impairment =
  | 'lossy'
  /** Nothing comes or goes. */
  | 'cutOff';

/**
 * A bridge that this host is on, and a network namespace with a link to it for each worker. Needs
 * root, iproute2, iptables and python3: the links are in user space, as not every kernel has netem.
 */
export class TestNetwork {
  private readonly namespaces: string[] = [];
  /** Ids of the processes that are the links, by worker. */
  private readonly links: number[] = [];

  /** A network, or why there can be none on this machine. */
  static open(numWorkers: number): TestNetwork | string {
    const programs = { ip: '-V', iptables: '-V', python3: '--version' };
    const missing = Object.entries(programs).find(
      ([name, flag]) => run(name, flag).problem !== null,
    );
    if (missing !== undefined) return `there is no program ${missing[0]}`;
    const bridge = `${NAME}-bridge`;
    const { problem } = run('ip', 'netns', 'add', bridge);
    if (problem !== null) return problem;
    const network = new TestNetwork();
    network.namespaces.push(bridge);
    const steps = [
      `-n ${bridge} link add br0 type bridge`,
      `-n ${bridge} link set br0 up`,
      `link add ${NAME} type veth peer name host netns ${bridge}`,
      `addr add ${SUBNET}.1/24 dev ${NAME}`,
      `link set ${NAME} up`,
      `-n ${bridge} link set host master br0 up`,
    ];
    const workers = Array.from({ length: numWorkers }, (_, worker) => worker);
    const failed =
      runSteps(steps) ??
      workers.reduce<string | null>(
        (before, worker) => before ?? network.linkWorker(bridge, worker),
        null,
      );
    if (failed !== null) {
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

  /** One packet in ten to the worker is lost, at random, and each one from it is 50 ms late. */
  impair(worker: number, impairment: Impairment): string | null {
    if (impairment === 'cutOff') {
      return (
        this.exec(worker, 'iptables -A INPUT -i eth0 -j DROP') ??
        this.exec(worker, 'iptables -A OUTPUT -o eth0 -j DROP')
      );
    }
    this.signal(worker, 'SIGUSR1');
    return this.exec(
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
    this.signal(worker, 'SIGUSR2');
    return this.exec(worker, 'iptables -F');
  }

  close(): void {
    for (const link of this.links) process.kill(link);
    run('ip', 'link', 'del', NAME);
    for (const namespace of this.namespaces) run('ip', 'netns', 'del', namespace);
  }

  private linkWorker(bridge: string, worker: number): string | null {
    const namespace = namespaceOf(worker);
    const [near, far] = [`${NAME}n${worker}`, `${NAME}f${worker}`];
    const link = run('python3', LATE_LINK, `${process.pid}`, `${DELAY_MS}`, near, far);
    if (link.problem !== null) return link.problem;
    this.links.push(Number(link.stdout));
    this.namespaces.push(namespace);
    return runSteps([
      `netns add ${namespace}`,
      `link set ${near} netns ${namespace} name eth0`,
      `link set ${far} netns ${bridge} name w${worker}`,
      `-n ${namespace} addr add ${this.address(worker)}/24 dev eth0`,
      `-n ${namespace} link set lo up`,
      `-n ${namespace} link set eth0 up`,
      `-n ${bridge} link set w${worker} master br0 up`,
    ]);
  }

  private signal(worker: number, signal: NodeJS.Signals): void {
    process.kill(this.links[worker]!, signal);
  }

  private exec(worker: number, command: string): string | null {
    const [program = '', ...rest] = this.inside(worker);
    return run(program, ...rest, ...command.split(' ')).problem;
  }
}

function namespaceOf(worker: number): string {
  return `${NAME}-w${worker}`;
}

/** Null when all steps of iproute2 succeeded, else what the first that did not has said. */
function runSteps(steps: readonly string[]): string | null {
  for (const step of steps) {
    const { problem } = run('ip', ...step.split(' '));
    if (problem !== null) return problem;
  }
  return null;
}

function run(
  program: string,
  ...values: string[]
): { readonly stdout: string; readonly problem: string | null } {
  const { error, status, stdout, stderr } = spawnSync(program, values, { encoding: 'utf8' });
  if (error !== undefined) return { stdout: '', problem: error.message };
  const problem = status === 0 ? null : `${program} ${values.join(' ')}: ${stderr.trim()}`;
  return { stdout, problem };
}
