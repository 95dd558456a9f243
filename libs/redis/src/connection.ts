import { Redis } from 'ioredis';

export interface RedisStoreOptions {
  /** `redis://[:PASSWORD@]HOST:PORT[/DB]` or `rediss://`. */
  readonly url: string;
  /** Starts the name of every key; two clusters can share one server. */
  readonly keyPrefix: string;
  /** Told of connection errors; they are retried, so this is for the log alone. */
  readonly onError: (error: Error) => void;
}

/** A command is given up, with STORE_UNAVAILABLE, after this long. */
const COMMAND_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 3_000;
const MAX_RECONNECT_MS = 2_000;

const reconnectDelay = (times: number): number => Math.min(50 * 2 ** times, MAX_RECONNECT_MS);

/** A connection for commands: reconnects for ever, but each command has a deadline. */
export function connectForCommands(options: RedisStoreOptions): Redis {
  return connect(options, {
    maxRetriesPerRequest: 2,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
}

/** A connection for BullMQ's workers, which block on it: commands wait for a reconnection. */
export function connectForBlocking(options: RedisStoreOptions): Redis {
  return connect(options, { maxRetriesPerRequest: null });
}

function connect(
  { url, onError }: RedisStoreOptions,
  limits: { maxRetriesPerRequest: number | null; commandTimeout?: number },
): Redis {
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: reconnectDelay,
    ...limits,
  });
  redis.on('error', onError);
  return redis;
}

/** Closes in order when connected, at once otherwise. */
export async function closeConnection(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => undefined);
  redis.disconnect();
}
