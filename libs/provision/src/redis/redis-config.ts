/** What a private server needs to know. */
export interface RedisConfig {
  readonly port: number;
  readonly password: string;
  readonly dataDir: string;
}

/**
 * The configuration of a private server: loopback only, password, never evicts (the queue's keys
 * are state, not a cache), and appends every write to a file that is synchronised each second.
 */
export function redisConfig({ port, password, dataDir }: RedisConfig): string {
  const lines = [
    ['bind', '127.0.0.1'],
    ['port', String(port)],
    ['protected-mode', 'yes'],
    ['requirepass', password],
    ['dir', dataDir],
    ['maxmemory-policy', 'noeviction'],
    ['appendonly', 'yes'],
    ['appendfsync', 'everysec'],
    ['save', ''],
    ['daemonize', 'no'],
    ['logfile', ''],
    ['loglevel', 'notice'],
    ['always-show-logo', 'no'],
  ];
  return lines.map(([key, value]) => `${key} ${quote(value ?? '')}\n`).join('');
}

/** Redis reads a double-quoted value with C escapes. */
function quote(value: string): string {
  const escaped = [...Buffer.from(value)].map((byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${escaped.join('')}"`;
}
