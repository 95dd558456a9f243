import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Container, LifecycleHandler, Probe } from 'kubernetes-types/core/v1.js';

/** How the agent reaches into a container. */
export interface ProbeTarget {
  readonly container: Container;
  /** Of this machine. */
  readonly address: string;
  /** Of commands that run in the container. */
  readonly environment: NodeJS.ProcessEnv;
}

type Action = Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket'>;

/** Whether the container is as the action expects it, within the time. */
export async function act(
  { exec, httpGet, tcpSocket }: Action,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<boolean> {
  if (httpGet !== undefined) {
    const port = portOf(httpGet.port, target.container);
    const url = `http://${target.address}:${port}${httpGet.path ?? '/'}`;
    const signal = AbortSignal.timeout(timeoutMs);
    return fetch(url, { signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status >= 200 && response.status < 400;
      },
      () => false,
    );
  }
  if (tcpSocket !== undefined) {
    return connects(target.address, portOf(tcpSocket.port, target.container), timeoutMs);
  }
  const [program = '', ...args] = exec?.command ?? [];
  const child = spawn(program, args, {
    env: target.environment,
    stdio: 'ignore',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

/**
 * Runs a probe until it is aborted, and tells what it comes to after as many results of one kind in a
 * row as it asks for; the defaults are those of Kubernetes.
 */
export async function keepProbing(
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
  onResult: (isWell: boolean) => void,
): Promise<void> {
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1 } = probe;
  const { failureThreshold = 3, successThreshold = 1 } = probe;
  let last = false;
  let numInRow = 0;
  await pause(initialDelaySeconds * 1_000, null, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    const isWell = await act(probe, target, timeoutSeconds * 1_000);
    numInRow = isWell === last ? numInRow + 1 : 1;
    last = isWell;
    if (signal.aborted) return;
    if (numInRow === (isWell ? successThreshold : failureThreshold)) onResult(isWell);
    await pause(periodSeconds * 1_000, null, { signal }).catch(() => undefined);
  }
}

function portOf(port: number | string, { ports = [] }: Container): number {
  if (typeof port === 'number') return port;
  const named = ports.find(({ name }) => name === port);
  if (named === undefined) throw new Error(`the container has no port ${port}`);
  return named.containerPort;
}

function connects(address: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const done = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
  });
}
