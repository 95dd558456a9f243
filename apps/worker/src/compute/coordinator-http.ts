import { API_PREFIX, linkedSignal, type Fence } from '@skipring/protocol';

const REQUEST_TIMEOUT_MS = 120_000;
const NUM_TRIES = 5;
const FIRST_BACKOFF_MS = 200;

/** The coordinator refused, or could not be reached in several tries. */
export class CoordinatorRequestError extends Error {
  override readonly name = 'CoordinatorRequestError';
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a worker fetches from and stores at the coordinator, with the join token. */
export class CoordinatorHttp {
  constructor(
    private readonly baseUrl: string,
    private readonly joinToken: string | null,
  ) {}

  /** A shard's bytes from `firstByte` on. */
  async shard(hash: string, file: string, firstByte: number): Promise<ReadableStream<Uint8Array>> {
    const response = await this.request(`/internal/data-sets/${hash}/shards/${file}`, {
      headers: { range: `bytes=${firstByte}-` },
    });
    if (response.body === null) {
      throw new CoordinatorRequestError('EMPTY_ANSWER', `shard ${file}: the answer has no body`);
    }
    return response.body;
  }

  /** A safetensors file that a job starts from. */
  async weights(sha256: string): Promise<Uint8Array> {
    const response = await this.request(`/internal/weights/${sha256}`, {});
    return new Uint8Array(await response.arrayBuffer());
  }

  async checkpoint(jobId: string, step: number): Promise<Uint8Array> {
    const response = await this.request(`/internal/jobs/${jobId}/checkpoints/${step}`, {});
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Resolves when the checkpoint is durable. */
  async storeCheckpoint(
    fence: Fence,
    step: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const { jobId, attempt, generation } = fence;
    const query = `attempt=${attempt}&generation=${generation}`;
    const path = `/internal/jobs/${jobId}/checkpoints/${step}?${query}`;
    const headers = { 'content-type': 'application/octet-stream' };
    await this.request(path, { method: 'PUT', body: bytes, headers }, signal);
  }

  /**
   * Every request here may be sent twice: a stored checkpoint is the same whoever stores it.
   * @param given ends the request until its answer begins
   */
  private async request(
    path: string,
    init: Omit<RequestInit, 'signal'>,
    given?: AbortSignal,
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.joinToken !== null) headers.set('authorization', `Bearer ${this.joinToken}`);
    const url = `${this.baseUrl}${API_PREFIX}${path}`;
    for (let attempt = 1; ; attempt += 1) {
      const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const ended = given === undefined ? null : linkedSignal([given, deadline]);
      try {
        const signal = ended?.signal ?? deadline;
        const response = await fetch(url, { ...init, headers, signal });
        if (response.ok) return response;
        const text = (await response.text()).slice(0, 500);
        const error = new CoordinatorRequestError(
          `HTTP_${response.status}`,
          `${path}: HTTP status ${response.status}: ${text}`,
        );
        if (response.status < 500 || attempt === NUM_TRIES) throw error;
      } catch (cause) {
        if (cause instanceof CoordinatorRequestError || given?.aborted === true) throw cause;
        if (attempt === NUM_TRIES) {
          throw new CoordinatorRequestError('COORDINATOR_UNREACHABLE', `${path}: no answer`, {
            cause,
          });
        }
      } finally {
        ended?.release();
      }
      await new Promise((done) => setTimeout(done, FIRST_BACKOFF_MS * 2 ** (attempt - 1)));
    }
  }
}
