import { readFileSync } from 'node:fs';

/** Most resident memory that this process has had (VmHWM), bytes. */
export function peakMemoryBytes() {
  return statusOf('VmHWM');
}

/** Resident memory of this process now (VmRSS), bytes. */
export function memoryBytes() {
  return statusOf('VmRSS');
}

function statusOf(field) {
  const text = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)[1]) * 1024;
}
