import { API_PREFIX, problemSchema } from '@skipring/protocol';
import type { z } from 'zod';
import { ApiError, ConnectionError, ResponseError } from './errors.js';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:7400`. */
  readonly url: string;
  /** Bearer token; null where the coordinator asks for none. */
  readonly token: string | null;
  /** Deadline of one request; streams have none. */
  readonly timeoutMs?: number;
  /** Tries after the first of a request that is safe to repeat. */
  readonly retries?: number;
  /** Ends every request and stream; the calls then throw its reason. */
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Safe to send twice: reads, and writes with an idempotency key. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
  /** No deadline: the answer is a stream. */
  readonly stream?: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const FIRST_BACKOFF_MS = 200;
/** The longest wait that a coordinator is obeyed in. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Requests with a deadline, retries for what may be repeated, and errors as classes. */
export class Http {
  readonly base: string;
  /** Of the client. */
  readonly signal: AbortSignal | undefined;
  private readonly timeoutMs: number;
  private readonly retries: number;

  constructor(private readonly options: ClientOptions) {
    this.base = options.url.replace(/\/+$/, '') + API_PREFIX;
    this.signal = options.signal;
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.retries = options.retries ?? DEFAULT_RETRIES;
  }

  /** The parsed JSON answer. Throws ApiError, ConnectionError or ResponseError. */
  async json<T extends z.ZodType>(
    schema: T,
    path: string,
    request: RequestOptions = {},
  ): Promise<z.output<T>> {
    const response = await this.fetch(path, request);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success) {
      throw new ResponseError(
        `${path}: the answer is not of this API version: ${parsed.error.issues[0]?.message ?? ''}`,
      );
    }
    return parsed.data;
  }

  /** The raw answer, status 2xx. Throws ApiError or ConnectionError. */
  async fetch(path: string, request: RequestOptions = {}): Promise<Response> {
    const repeatable = request.repeatable ?? (request.method ?? 'GET') === 'GET';
    for (let attempt = 0; ; attempt += 1) {
      const mayRepeat = repeatable && attempt < this.retries;
      let response: Response;
      try {
        response = await this.send(path, request);
      } catch (cause) {
        this.signal?.throwIfAborted();
        if (!mayRepeat || request.signal?.aborted === true) {
          throw new ConnectionError(this.options.url, { cause });
        }
        await pause(FIRST_BACKOFF_MS * 2 ** attempt, AbortSignal.any(this.signalsOf(request)));
        continue;
      }
      if (response.ok) return response;
      const error = await readProblem(response);
      if (!mayRepeat || (response.status !== 503 && response.status !== 429)) throw error;
      const backoffMs = Math.max(FIRST_BACKOFF_MS * 2 ** attempt, retryAfterMs(response.headers));
      await pause(backoffMs, AbortSignal.any(this.signalsOf(request)));
    }
  }

  private send(path: string, request: RequestOptions): Promise<Response> {
    const url = new URL(this.base + path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> & { authorization?: string } = { ...request.headers };
    if (this.options.token !== null) headers.authorization = `Bearer ${this.options.token}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    const signals = this.signalsOf(request);
    if (request.stream !== true) signals.push(AbortSignal.timeout(this.timeoutMs));
    return fetch(url, {
      method: request.method ?? 'GET',
      headers,
      signal: AbortSignal.any(signals),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
  }

  private signalsOf(request: RequestOptions): AbortSignal[] {
    return [this.signal, request.signal].filter((signal) => signal !== undefined);
  }
}

/** What `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 without it. */
export function retryAfterMs(headers: Headers, nowMs = Date.now()): number {
  const text = headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

async function readProblem(response: Response): Promise<ApiError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => undefined));
  return new ApiError(
    parsed.success
      ? parsed.data
      : {
          type: 'about:blank',
          title: response.statusText,
          status: response.status,
          code: `HTTP_${response.status}`,
          detail: `the server answered with HTTP status ${response.status}`,
        },
  );
}

/** Waits; ends early, without an error, when the signal fires. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
    if (signal?.aborted === true) done();
  });
}
