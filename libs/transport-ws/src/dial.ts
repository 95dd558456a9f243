import type { IncomingMessage } from 'node:http';
import { CollectiveError } from '@skipring/collective';
import { RING_FRAME_HEADER_BYTES, RING_PATH } from '@skipring/protocol';
import { WebSocket } from 'ws';
import { MAX_ABORT_NOTICE_BYTES } from './abort-notice.js';
import { dialHeaders, REFUSAL_HEADER, type RingDial } from './handshake.js';

const FIRST_DELAY_MS = 20;
const MAX_DELAY_MS = 250;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface DialTarget {
  readonly host: string;
  readonly port: number;
}

export interface DialOptions extends RingDial {
  readonly target: DialTarget;
  readonly maxPayloadBytes: number;
  /** Called in the same turn in which the socket opens: no message is missed. */
  onOpen(socket: WebSocket): void;
  /** A refusal that another try can't mend. */
  onRefused(error: CollectiveError): void;
}

/** Dials until a socket opens, the peer refuses for good, or the returned function is called. */
export function dial(options: DialOptions): { stop(): void; lastProblem(): string } {
  const { target, from, to, maxPayloadBytes } = options;
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const url = `ws://${host}:${target.port}${RING_PATH}`;
  let socket: WebSocket | null = null;
  let timer: NodeJS.Timeout | null = null;
  let delayMs = FIRST_DELAY_MS;
  let problem = 'no answer yet';
  let stopped = false;

  function attempt(): void {
    timer = null;
    const trial = new WebSocket(url, {
      headers: dialHeaders(options),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: Math.max(maxPayloadBytes, RING_FRAME_HEADER_BYTES, MAX_ABORT_NOTICE_BYTES),
      perMessageDeflate: false,
    });
    socket = trial;
    trial.once('open', () => {
      stopped = true;
      trial.removeAllListeners();
      options.onOpen(trial);
    });
    trial.once('unexpected-response', (_request, response) => {
      onRefusal(response);
      trial.terminate();
    });
    trial.on('error', (error) => {
      if (!stopped && timer === null) retry(error.message);
    });
  }

  function onRefusal(response: IncomingMessage): void {
    const header = response.headers[REFUSAL_HEADER];
    const code = typeof header === 'string' ? header : `HTTP status ${response.statusCode ?? 0}`;
    if (code === 'NOT_READY' || code === 'ALREADY_CONNECTED') {
      retry(`rank ${to} answered ${code}`);
      return;
    }
    stopped = true;
    const known = code === 'STALE_GENERATION' || code === 'UNAUTHORIZED' ? code : 'PROTOCOL';
    options.onRefused(
      new CollectiveError(known, `rank ${to} at ${url} refused rank ${from}: ${code}`, {
        rank: to,
      }),
    );
  }

  function retry(why: string): void {
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
