import { CollectiveError } from '@skipring/collective';
import { RING_PATH } from '@skipring/protocol';
import { ClientSocket } from './client-socket.js';
import { dialHeaders, REFUSAL_HEADER, type RingDial } from './handshake.js';
import type { RingTls } from './ring-tls.js';
import type { UpgradeResponse } from './upgrade-response.js';

const FIRST_DELAY_MS = 20;
const MAX_DELAY_MS = 250;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface DialTarget {
  readonly host: string;
  readonly port: number;
}

export interface DialOptions extends RingDial {
  readonly target: DialTarget;
  readonly tls: RingTls | null;
  /** Called in the same turn in which the socket opens: no message is missed. */
  onOpen(socket: ClientSocket): void;
  /** A refusal that another try can't mend. */
  onRefused(error: CollectiveError): void;
}

/** Dials until a socket opens, the peer refuses for good, or the returned function is called. */
export function dial(options: DialOptions): { stop(): void; lastProblem(): string } {
  const { target, tls, from, to } = options;
  let socket: ClientSocket | null = null;
  let timer: NodeJS.Timeout | null = null;
  let delayMs = FIRST_DELAY_MS;
  let problem = 'no answer yet';
  let stopped = false;

  function attempt(): void {
    timer = null;
    const trial = new ClientSocket({
      ...target,
      tls,
      path: RING_PATH,
      headers: dialHeaders(options),
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      onOpen: () => {
        stopped = true;
        options.onOpen(trial);
      },
      onRefused,
      onFailed: (error) => {
        retry(error.message);
      },
    });
    socket = trial;
  }

  function onRefused({ status, headers }: UpgradeResponse): void {
    const code = headers.get(REFUSAL_HEADER) ?? `HTTP status ${status}`;
    if (code === 'NOT_READY' || code === 'ALREADY_CONNECTED') {
      retry(`rank ${to} answered ${code}`);
      return;
    }
    if (stopped) return;
    stopped = true;
    const known = code === 'STALE_GENERATION' || code === 'UNAUTHORIZED' ? code : 'PROTOCOL';
    const where = `${target.host}, port ${target.port}`;
    options.onRefused(
      new CollectiveError(known, `rank ${to} at ${where} refused rank ${from}: ${code}`, {
        rank: to,
      }),
    );
  }

  function retry(why: string): void {
    if (stopped) return;
    problem = why;
    timer = setTimeout(attempt, delayMs);
    delayMs = Math.min(MAX_DELAY_MS, delayMs * 2);
  }

  attempt();
  return {
    stop: () => {
      if (stopped) return;
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      socket?.terminate();
    },
    lastProblem: () => problem,
  };
}
