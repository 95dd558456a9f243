import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceReading } from '@skipring/metrics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseReading, watchDevice } from './device-watch.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skipring-device-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Stands in for the driver's program. */
function program(script: string): string {
  const path = join(directory, 'nvidia-smi');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a line of nvidia-smi', () => {
  it('is a reading in bytes and shares', () => {
    expect(parseReading('NVIDIA H100 80GB HBM3, 1234, 81559, 87')).toEqual({
      device: 'NVIDIA H100 80GB HBM3',
      memoryBytes: 1234 * 1024 ** 2,
      memoryLimitBytes: 81559 * 1024 ** 2,
      utilization: 0.87,
    });
  });

  it.each(['', 'No devices were found', 'NVIDIA A2, 5, 16, [N/A]', '1, 2, 3'])(
    'is none when a number or the name is missing: %j',
    (line) => {
      expect(parseReading(line)).toBeNull();
    },
  );
});

describe('the watch', () => {
  it('reads the last visible device, and stops', async () => {
    const readings: DeviceReading[] = [];
    const onEnd = vi.fn();
    const log = join(directory, 'arguments');
    const watch = watchDevice({
      visibleDevices: '0,GPU-7f',
      onReading: (reading) => readings.push(reading),
      onEnd,
      program: program(`echo "$@" > ${log}; echo "A2, 1, 16, 50"; exec sleep 60`),
    });
    await vi.waitUntil(() => readings.length === 1, { timeout: 20_000 });
    expect(readings[0]).toMatchObject({ device: 'A2', utilization: 0.5 });
    expect(readFileSync(log, 'utf8')).toContain('--id=GPU-7f');
    watch.stop();
    expect(onEnd).not.toHaveBeenCalled();
  });

  it('tells when there is no such program, and when it ends', async () => {
    for (const path of [join(directory, 'missing'), program('exit 9')]) {
      const onEnd = vi.fn();
      watchDevice({ visibleDevices: null, onReading: () => undefined, onEnd, program: path });
      await vi.waitUntil(() => onEnd.mock.calls.length > 0, { timeout: 20_000 });
      expect(onEnd).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/ENOENT|status 9/));
    }
  });
});
