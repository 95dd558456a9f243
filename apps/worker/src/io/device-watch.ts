import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { DeviceReading } from '@skipring/metrics';

const QUERY = 'name,memory.used,memory.total,utilization.gpu';
const INTERVAL_SECONDS = 5;
const MIB = 1024 ** 2;

export interface DeviceWatchOptions {
  /** As CUDA has it: the worker computes on the last one named; null: on the last one there is. */
  readonly visibleDevices: string | null;
  readonly onReading: (reading: DeviceReading) => void;
  /** The driver's program is missing, or has ended: no more readings come. */
  readonly onEnd: (reason: string) => void;
  /** Default `nvidia-smi`. */
  readonly program?: string;
}

/** Reads the GPU's memory and utilisation every few seconds until it is stopped. */
export function watchDevice(options: DeviceWatchOptions): { stop(): void } {
  const { visibleDevices, onReading, onEnd, program = 'nvidia-smi' } = options;
  const device = visibleDevices?.split(',').at(-1)?.trim();
  const args = [
    `--query-gpu=${QUERY}`,
    '--format=csv,noheader,nounits',
    `--loop=${INTERVAL_SECONDS}`,
    ...(device === undefined || device === '' ? [] : [`--id=${device}`]),
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let isStopped = false;
  const end = (reason: string): void => {
    if (!isStopped) onEnd(reason);
    isStopped = true;
  };
  child.once('error', ({ message }) => {
    end(message);
  });
  child.once('exit', (code, signal) => {
    end(`${program} ended with ${signal ?? `status ${code}`}`);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const reading = parseReading(line);
    if (reading !== null) onReading(reading);
  });
  return {
    stop() {
      isStopped = true;
      child.kill();
    },
  };
}

/** A line such as `NVIDIA H100 80GB HBM3, 1234, 81559, 87`; null when a number is missing in it. */
export function parseReading(line: string): DeviceReading | null {
  const fields = line.split(',').map((field) => field.trim());
  const [used, total, percent] = fields.slice(-3).map(Number);
  const device = fields.slice(0, -3).join(', ');
  if (device === '' || used === undefined || total === undefined || percent === undefined) {
    return null;
  }
  if (![used, total, percent].every(Number.isFinite)) return null;
  return {
    device,
    memoryBytes: used * MIB,
    memoryLimitBytes: total * MIB,
    utilization: percent / 100,
  };
}
