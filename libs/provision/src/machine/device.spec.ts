import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseDevice, findGpu } from './device.js';

describe('findGpu', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'skipring-device-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('finds none on a bare machine', async () => {
    expect(await findGpu([], root)).toBeUndefined();
  });

  it("reads the driver's files", async () => {
    const gpu = join(root, 'proc/driver/nvidia/gpus/0000:01:00.0');
    await mkdir(gpu, { recursive: true });
    await writeFile(join(gpu, 'information'), 'Model: \t\t NVIDIA H200\nIRQ: 1\n');
    await writeFile(
      join(root, 'proc/driver/nvidia/version'),
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\n',
    );
    expect(await findGpu([], root)).toEqual({ names: ['NVIDIA H200'], driverVersion: '550.54.15' });
  });

  it('is content with the device file', async () => {
    await mkdir(join(root, 'dev'));
    await writeFile(join(root, 'dev/nvidia0'), '');
    expect(await findGpu([], root)).toEqual({ names: [], driverVersion: undefined });
  });

  it('asks nvidia-smi', async () => {
    const smi = join(root, 'nvidia-smi');
    await writeFile(smi, '#!/bin/sh\necho "NVIDIA L4, 535.1"\necho "NVIDIA L4, 535.1"\n');
    await chmod(smi, 0o755);
    const found = { names: ['NVIDIA L4', 'NVIDIA L4'], driverVersion: '535.1' };
    expect(await findGpu([root], root)).toEqual(found);
    await writeFile(smi, '#!/bin/sh\necho "no devices" ; exit 9\n');
    expect(await findGpu([root], root)).toBeUndefined();
  });

  it('settles auto by what it finds', async () => {
    expect(await chooseDevice('auto', [], root)).toBe('cpu');
    await mkdir(join(root, 'proc/driver/nvidia'), { recursive: true });
    expect(await chooseDevice('auto', [], root)).toBe('gpu');
    expect(await chooseDevice('gpu', [], root)).toBe('gpu');
    expect(await chooseDevice('cpu', [], root)).toBe('cpu');
  });

  it('refuses a GPU that is not there', async () => {
    await expect(chooseDevice('gpu', [], root)).rejects.toMatchObject({
      code: 'GPU_NOT_FOUND',
      fix: expect.stringContaining('SKIPRING_DEVICE=cpu') as string,
    });
  });
});
