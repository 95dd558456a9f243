import type { Unit } from '../board.js';

const SI = ['', 'k', 'M', 'G', 'T'];
const IEC = ['', 'Ki', 'Mi', 'Gi', 'Ti'];

/** A value with its unit, short enough for an axis. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'percentunit':
      return `${short(value * 100)} %`;
    case 's':
      return value !== 0 && Math.abs(value) < 1
        ? `${short(value * 1_000)} ms`
        : `${short(value)} s`;
    case 'Bps':
      return `${scaled(value, 1_000, SI)}B/s`;
    case 'bytes':
      return `${scaled(value, 1_024, IEC)}B`;
    case 'reqps':
      return `${short(value)}/s`;
    case 'short':
      return scaled(value, 1_000, SI).trim();
    case 'none':
      return short(value);
  }
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  const magnitude = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(base));
  const index = Math.min(Math.max(magnitude, 0), prefixes.length - 1);
  return `${short(value / base ** index)} ${prefixes[index] ?? ''}`;
}

/** Three significant digits, without zeros that say nothing. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
