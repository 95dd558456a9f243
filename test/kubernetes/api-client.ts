import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 30_000;
const RETRY_MS = 500;

interface KubernetesObject {
  readonly metadata?: { readonly name?: string; readonly uid?: string };
}

interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: T[];
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** The API server refused a request. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The API server's own interface: JSON over HTTP. */
export class ApiClient {
  constructor(private readonly url: string) {}

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.url}/readyz`, {
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return response.ok;
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>('GET', path);
  }

  create<T>(path: string, body: T): Promise<T> {
    return this.send<T>('POST', path, body, 'application/json');
  }

  replace<T>(path: string, body: T): Promise<T> {
    return this.send<T>('PUT', path, body, 'application/json');
  }

  /** Merges lists by the key that their type names. */
  patch<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PATCH', path, body, 'application/strategic-merge-patch+json');
  }

  /** For types that the API server knows from a definition only: lists are replaced. */
  mergePatch<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PATCH', path, body, 'application/merge-patch+json');
  }

  async remove(path: string, options: object = {}): Promise<void> {
    await this.send('DELETE', path, options, 'application/json');
  }

  /** Tells of all objects and their changes until it is aborted, also after a lost connection. */
  async watch<T extends KubernetesObject>(
    path: string,
    signal: AbortSignal,
    onChange: (object: T, isDeleted: boolean) => void,
  ): Promise<void> {
    let known = new Map<string, T>();
    while (!signal.aborted) {
      try {
        const list = await this.get<ObjectList<T>>(path);
        const now = new Map(list.items.map((item) => [item.metadata?.uid ?? '', item]));
        for (const [uid, object] of known) if (!now.has(uid)) onChange(object, true);
        for (const object of now.values()) onChange(object, false);
        known = now;
        for await (const { type, object } of this.events<T>(path, list.metadata, signal)) {
          if (type === 'ERROR') break;
          if (type === 'BOOKMARK') continue;
          if (type === 'DELETED') known.delete(object.metadata?.uid ?? '');
          else known.set(object.metadata?.uid ?? '', object);
          onChange(object, type === 'DELETED');
        }
      } catch {
        await pause(RETRY_MS);
      }
    }
  }

  private async *events<T>(
    path: string,
    { resourceVersion }: { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const query = new URLSearchParams({ watch: '1', resourceVersion }).toString();
    const response = await fetch(`${this.url}${path}?${query}`, { signal });
    if (!response.ok || response.body === null) throw new ApiError(response.status, path);
    for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
      yield JSON.parse(line) as WatchEvent<T>;
    }
  }

  private async send<T>(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiError(response.status, `${method} ${path}: ${text}`);
    return JSON.parse(text) as T;
  }
}
