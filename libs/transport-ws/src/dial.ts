import { CollectiveError } from '@skipring/collective';
import { RING_PATH } from '@skipring/protocol';
import { ClientSocket } from './client-socket.js';
import {
  dialHeaders,
  REFUSAL_HEADER,
  SLOTS_HEADER,
  SLOTS_TAKEN,
  slotsHeader,
  type RingDial,
} from './handshake.js';
import { localPath } from './local-socket.js';
import type { RingTls } from './ring-tls.js';
import { SharedSlots } from './shared-slots.js';

const FIRST_DELAY_MS = 20;
const MAX_DELAY_MS = 250;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** Name of its local socket, which is tried first; that works on its own machine alone. */
  readonly localName?: string | undefined;
}

export interface DialOptions extends RingDial {
  readonly target: DialTarget;
  readonly tls: RingTls | null;
  /** Whether the target's local socket may be tried. */
  readonly dialsLocally: boolean;
  /** Whether payloads may come through slots, where the target is on this machine. */
  readonly sharesMemory: boolean;
  /** Called in the same turn in which the socket opens: no message is missed. */
  onOpen(socket: ClientSocket, slots: SharedSlots | null): void;
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
    if (target.localName === undefined || !options.dialsLocally) attemptAt();
    else attemptAt(localPath(target.localName));
  }

  function attemptAt(path?: string): void {
    if (stopped) return;
    const isLocal = path !== undefined;
    let slots: SharedSlots | null = null;
    const trial = new ClientSocket({
      host: target.host,
      port: target.port,
      localPath: path,
      tls,
      path: RING_PATH,
      headers: () => {
        // Not before: where nobody listens there is nobody to share with.
        slots = isLocal && options.sharesMemory ? SharedSlots.create() : null;
        const offer = slots === null ? {} : { [SLOTS_HEADER]: slotsHeader(slots.offer) };
        return { ...dialHeaders(options), ...offer };
      },
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      onOpen: (answer) => {
        stopped = true;
        const isTaken = answer.headers.get(SLOTS_HEADER) === SLOTS_TAKEN;
        if (!isTaken) slots?.close();
        options.onOpen(trial, isTaken ? slots : null);
      },
      onRefused: (answer) => {
        slots?.close();
        const code = answer.headers.get(REFUSAL_HEADER) ?? `HTTP status ${answer.status}`;
        if (code === 'NOT_READY' || code === 'ALREADY_CONNECTED') {
          retry(`rank ${to} answered ${code}`);
        } else if (isLocal) attemptAt();
        else refuse(code);
      },
      onFailed: (error) => {
        slots?.close();
        // The rank is on another machine, or gone.
        if (isLocal) attemptAt();
        else retry(error.message);
      },
    });
    socket = trial;
  }

  function refuse(code: string): void {
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
