import { API_PREFIX, linkedSignal, problemSchema } from '@skipring/protocol';
import type { z } from 'zod';
import { ApiError, ConnectionError, ResponseError } from './errors.js';
import { pause } from './pause.js';
import { untilEnd } from './until-end.js';

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
}

/** An answer, status 2xx. */
interface Answer {
  readonly response: Response;
  /** To be called once its body is read: from then on neither signals nor a deadline end it. */
  readonly release: () => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const FIRST_BACKOFF_MS = 200;
/** The longest wait that a coordinator is obeyed in. */
const MAX_RETRY_AFTER_MS = 30_000;

/**
 * Requests with a deadline, retries for what may be repeated, and errors as classes: all calls throw
 * ApiError or ConnectionError, `json` ResponseError, too.
 */
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

  /** The parsed JSON answer. */
  async json<T extends z.ZodType>(
    schema: T,
    path: string,
    request: RequestOptions = {},
  ): Promise<z.output<T>> {
    const { response, release } = await this.answer(path, request, this.timeoutMs);
    const json: unknown = await response
      .json()
      .catch(() => {
        this.signal?.throwIfAborted();
      })
      .finally(release);
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      throw new ResponseError(
        `${path}: the answer is not of this API version: ${parsed.error.issues[0]?.message ?? ''}`,
      );
    }
    return parsed.data;
  }

  /** For an answer without a body. */
  async send(path: string, request: RequestOptions): Promise<void> {
    (await this.answer(path, request, this.timeoutMs)).release();
  }

  async blob(path: string): Promise<Blob> {
    const { response, release } = await this.answer(path, {}, this.timeoutMs);
    return response.blob().finally(release);
  }

  /** An answer that is read while it comes: it has no deadline. */
  async stream(path: string, request: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { response, release } = await this.answer(path, request, null);
    return untilEnd(response.body ?? new Blob([]).stream(), release);
  }

  private async answer(
    path: string,
    request: RequestOptions,
    timeoutMs: number | null,
  ): Promise<Answer> {
    const repeatable = request.repeatable ?? (request.method ?? 'GET') === 'GET';
    for (let attempt = 0; ; attempt += 1) {
      const mayRepeat = repeatable && attempt < this.retries;
      const backoffMs = FIRST_BACKOFF_MS * 2 ** attempt;
      let answer: Answer;
      try {
        answer = await this.attempt(path, request, timeoutMs);
      } catch (cause) {
        this.signal?.throwIfAborted();
        if (!mayRepeat || request.signal?.aborted === true) {
          throw new ConnectionError(this.options.url, { cause });
        }
        await pause(backoffMs, this.signalsOf(request));
        continue;
      }
      const { response, release } = answer;
      if (response.ok) return answer;
      const error = await readProblem(response).finally(release);
      if (!mayRepeat || (response.status !== 503 && response.status !== 429)) throw error;
      const askedMs = retryAfterMs(response.headers);
      await pause(Math.max(backoffMs, askedMs), this.signalsOf(request));
    }
  }

  /** An answer of any status. */
  private async attempt(
    path: string,
    request: RequestOptions,
    timeoutMs: number | null,
  ): Promise<Answer> {
    const url = new URL(this.base + path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> & { authorization?: string } = { ...request.headers };
    if (this.options.token !== null) headers.authorization = `Bearer ${this.options.token}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    const deadline = timeoutMs === null ? [] : [AbortSignal.timeout(timeoutMs)];
    const { signal, release } = linkedSignal([...this.signalsOf(request), ...deadline]);
    try {
      const response = await fetch(url, {
        method: request.method ?? 'GET',
        headers,
        signal,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return { response, release };
    } catch (error) {
      release();
      throw error;
    }
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
