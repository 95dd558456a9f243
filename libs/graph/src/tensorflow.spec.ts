import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadTensorFlow, settingsOf } from './tensorflow.js';

/** What a program that this process starts now finds in its environment. */
const environmentValue = (name: string): string =>
  execFileSync(process.execPath, ['-p', `String(process.env[${JSON.stringify(name)}])`], {
    encoding: 'utf8',
  }).trim();

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the settings of TensorFlow', () => {
  it('allow TF32 by default, whatever the environment says', () => {
    expect(settingsOf({ threads: 1, device: 'gpu' }).NVIDIA_TF32_OVERRIDE).toBeNull();
    expect(settingsOf({ threads: 1, device: 'gpu', tf32: false }).NVIDIA_TF32_OVERRIDE).toBe('0');
  });

  it('hide all GPUs on the device cpu alone', () => {
    expect(settingsOf({ threads: 1, device: 'cpu' }).CUDA_VISIBLE_DEVICES).toBe('-1');
    expect(settingsOf({ threads: 1, device: 'auto' })).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
  });

  it('reach the process once TensorFlow is loaded', async () => {
    vi.stubEnv('NVIDIA_TF32_OVERRIDE', '1');
    const { device } = await loadTensorFlow({ threads: 3, device: 'cpu', tf32: false });
    expect(device.kind).toBe('cpu');
    expect(environmentValue('NVIDIA_TF32_OVERRIDE')).toBe('0');
    expect(environmentValue('TF_NUM_INTRAOP_THREADS')).toBe('3');
    expect(environmentValue('TF_DETERMINISTIC_OPS')).toBe('1');
  });
});
