import { readFileSync, readlinkSync } from 'node:fs';

/**
 * A process that can be told apart from a later one with the same number.
 */
export interface ProcessIdentity {
  /** Boot and PID name space in which `pid` has a meaning. */
  readonly scope: string;
  readonly pid: number;
  /** Clock ticks from boot to the start of the process (`/proc/PID/stat`, field 22). */
  readonly startTicks: string;
}

/** The identity of the process `pid`, or `undefined` when there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    // A zombie has ended; only its parent has not been told yet.
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return { scope: processScope(), pid, startTicks };
  } catch {
    return undefined;
  }
}

/**
 * Whether the process still runs, or `undefined` when that cannot be told from here because it
 * belongs to another machine or container.
 */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.scope !== processScope()) return undefined;
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

/** Reads back what `JSON.stringify` made of an identity; `undefined` for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof ProcessIdentity, unknown>> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    const { scope, pid, startTicks } = value;
    if (typeof scope !== 'string' || typeof startTicks !== 'string') return undefined;
    return typeof pid === 'number' ? { scope, pid, startTicks } : undefined;
  } catch {
    return undefined;
  }
}

let cachedScope: string | undefined;

function processScope(): string {
  cachedScope ??= `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`;
  return cachedScope;
}
