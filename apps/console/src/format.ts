const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function integer(value: number): string {
  return whole.format(value);
}

/** With about four significant digits, as measured values are read. */
export function significant(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  if (size >= 1_000) return whole.format(value);
  return value.toPrecision(4);
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(2)} %`;
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toPrecision(3)} ${units[unit] ?? ''}`;
}

/** Such as `1 h 05 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.round(ms / 1_000)} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (ms < HOUR_MS) {
    return `${Math.floor(ms / MINUTE_MS)} min ${two(Math.floor((ms % MINUTE_MS) / 1_000))} s`;
  }
  if (ms < DAY_MS) {
    return `${Math.floor(ms / HOUR_MS)} h ${two(Math.floor((ms % HOUR_MS) / MINUTE_MS))} min`;
  }
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

export function ago(iso: string, nowMs: number = Date.now()): string {
  const ms = nowMs - Date.parse(iso);
  return ms < 5_000 ? 'just now' : `${duration(ms)} ago`;
}

/** Such as `in 3 h 20 min`. */
export function until(iso: string, nowMs: number = Date.now()): string {
  return `in ${duration(Math.max(0, Date.parse(iso) - nowMs))}`;
}

export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB');
}

export function dateTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** A hash as people compare it at a glance. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
