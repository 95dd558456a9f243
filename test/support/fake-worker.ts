import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import {
  coordinatorMessageSchema,
  GATEWAY_PATH,
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type WorkerMessage,
} from '@skipring/protocol';
import { WebSocket } from 'ws';
import { until } from './until.js';

export type Hello = Extract<WorkerMessage, { type: 'hello' }>;
type MessageOf<T extends CoordinatorMessage['type']> = Extract<CoordinatorMessage, { type: T }>;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export function helloOf(workerId: string, changes: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    workerId,
    host: '127.0.0.1',
    ringPort: 40_000,
    device: { kind: 'cpu', name: 'fake', memoryBytes: 1_000_000 },
    threads: 1,
    takesFaults: false,
    held: null,
    ...changes,
  };
}

function address(url: string, path: string): string {
  return url.replace(/^http/, 'ws') + path;
}

function headers(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Asks for a connection that must not be granted; the answer, with its body. */
export async function refusedUpgrade(
  url: string,
  token?: string,
  path: string = GATEWAY_PATH,
): Promise<Response> {
  const socket = new WebSocket(address(url, path), { headers: headers(token) });
  const [request, answer] = (await once(socket, 'unexpected-response')) as [
    { destroy: () => void },
    IncomingMessage,
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  request.destroy();
  return new Response(Buffer.concat(chunks), {
    status: answer.statusCode ?? 0,
    headers: { 'content-type': answer.headers['content-type'] ?? '' },
  });
}

/** The control connection of a worker that computes nothing: a test says what it reports. */
export class FakeWorker {
  /** All that arrived and was not yet taken by `next`. */
  readonly messages: CoordinatorMessage[] = [];
  readonly closed: Promise<Closed>;
  private end: Closed | null = null;
  private beating: NodeJS.Timeout | null = null;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('utf8');
      this.messages.push(coordinatorMessageSchema.parse(JSON.parse(text)));
    });
    // The close event follows and tells of it.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.stopBeating();
        this.end = { code, reason: reason.toString('utf8') };
        resolve(this.end);
      });
    });
  }

  /** Opens a connection and says nothing on it. */
  static async open(url: string, token?: string): Promise<FakeWorker> {
    const socket = new WebSocket(address(url, GATEWAY_PATH), { headers: headers(token) });
    const worker = new FakeWorker(socket);
    await once(socket, 'open');
    return worker;
  }

  /** Opens a connection, says hello and is welcomed; heartbeats begin unless it is silent. */
  static async join(
    url: string,
    workerId: string,
    { token, isSilent = false }: { token?: string; isSilent?: boolean } = {},
  ): Promise<FakeWorker> {
    const worker = await FakeWorker.open(url, token);
    worker.send(helloOf(workerId));
    const { heartbeatIntervalMs } = await worker.next('welcome');
    if (!isSilent) {
      const beat = (): void => {
        worker.send({ type: 'heartbeat', computeSilentMs: 5 });
      };
      worker.beating = setInterval(beat, heartbeatIntervalMs);
    }
    return worker;
  }

  send(message: WorkerMessage): void {
    this.sendRaw(JSON.stringify(message));
  }

  sendRaw(data: string | Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
  }

  /** The next message of this type; those before it are dropped. */
  next<T extends CoordinatorMessage['type']>(type: T): Promise<MessageOf<T>> {
    return until(`message ${type}`, () => {
      while (this.messages.length > 0) {
        const message = this.messages.shift();
        if (message?.type === type) return message as MessageOf<T>;
      }
      if (this.end !== null) throw new Error(`closed (${this.end.code}: ${this.end.reason})`);
      return null;
    });
  }

  /** Answers the next `prepare` as one that is at this step, and waits for `start`. */
  async enterGeneration(step = 0): Promise<MessageOf<'prepare'>> {
    const prepare = await this.next('prepare');
    const position = { step, epoch: 0, cursor: 0 };
    this.send({ type: 'ready', fence: prepare.fence, position, stateHash: `state-${step}` });
    await this.next('start');
    return prepare;
  }

  stopBeating(): void {
    if (this.beating !== null) clearInterval(this.beating);
    this.beating = null;
  }

  /** Leaves without a word, as a killed process does. */
  async leave(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
