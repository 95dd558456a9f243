import { describe, expect, it } from 'vitest';
import { readWheelLock, type WheelLock } from '../cache/wheel-lock.js';
import type { IndexFile } from '../fetch/index-page.js';
import { pinWheels } from './pin-wheels.js';

const LOCK = readWheelLock();
const ZIG = LOCK.zig[0];
const NEW_SHA256 = 'b'.repeat(64);

function file(fileName: string, change: Partial<IndexFile> = {}): IndexFile {
  const url = new URL(`https://files.example/${fileName}`);
  return { fileName, url, sha256: NEW_SHA256, bytes: 7, ...change };
}

/** Offers what is pinned, and for zig also `more`. */
function pageWith(...more: IndexFile[]) {
  const pinned = Object.values(LOCK).flat();
  return (distribution: string): Promise<IndexFile[]> =>
    Promise.resolve([
      ...pinned
        .filter((wheel) => wheel.distribution === distribution)
        .map((wheel) => file(wheel.file, wheel)),
      ...(distribution === 'ziglang' ? more : []),
    ]);
}

const pinZig = (version: string, ...more: IndexFile[]): Promise<WheelLock> =>
  pinWheels(LOCK, new Map([['ziglang', version]]), pageWith(...more));

describe('pinWheels', () => {
  it('gives back the same lock when nothing is to change', async () => {
    expect(await pinWheels(LOCK, new Map(), pageWith())).toEqual(LOCK);
  });

  it('pins the wheel of the wanted version for this platform, and leaves the others', async () => {
    const wanted = 'ziglang-9.1.0-py3-none-manylinux_2_28_x86_64.whl';
    const lock = await pinZig(
      '9.1.0',
      file('ziglang-9.1.0-py3-none-win_amd64.whl'),
      file('ziglang-9.1.0-py3-none-manylinux_2_28_aarch64.whl'),
      file('ziglang-9.1.0.tar.gz'),
      file('ziglang-9.1.1-py3-none-manylinux_2_28_x86_64.whl'),
      file(wanted),
    );
    expect(lock.zig).toEqual([
      { distribution: 'ziglang', version: '9.1.0', file: wanted, sha256: NEW_SHA256, bytes: 7 },
    ]);
    expect(lock).toEqual({ ...LOCK, zig: lock.zig });
  });

  it('prefers the platform tags of the present pin, and does not guess without them', async () => {
    const alike = file(ZIG.file.replace(ZIG.version, '9.1.0'));
    const other = file('ziglang-9.1.0-py3-none-manylinux_2_28_x86_64.whl');
    const another = file('ziglang-9.1.0-py3-none-manylinux_2_34_x86_64.whl');
    expect((await pinZig('9.1.0', other, alike)).zig[0].file).toBe(alike.fileName);
    await expect(pinZig('9.1.0', other, another)).rejects.toMatchObject({
      code: 'WHEEL_NOT_FOUND',
      message: expect.stringMatching(/several wheels.*2_28.*2_34/) as string,
    });
  });

  it.each([
    ['a version that is not there', '9.9.9', [], 'WHEEL_NOT_FOUND', 'no wheel of ziglang 9.9.9'],
    [
      'a file without a size',
      '9.1.0',
      [{ ...file('ziglang-9.1.0-py3-none-manylinux_2_28_x86_64.whl'), bytes: undefined }],
      'WHEEL_NOT_FOUND',
      'no size',
    ],
  ] as const)('refuses %s', async (_what, version, files, code, message) => {
    const rejection = expect(pinZig(version, ...(files as readonly IndexFile[]))).rejects;
    await rejection.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('refuses other bytes for a version that stays', async () => {
    const page = (distribution: string): Promise<IndexFile[]> =>
      pageWith()(distribution).then((files) =>
        files.map((each) => (distribution === 'ziglang' ? { ...each, sha256: NEW_SHA256 } : each)),
      );
    await expect(pinWheels(LOCK, new Map(), page)).rejects.toMatchObject({
      code: 'HASH_MISMATCH',
    });
  });

  it('refuses a distribution that is not pinned', async () => {
    await expect(pinWheels(LOCK, new Map([['zig', '1']]), pageWith())).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('ziglang') as string,
    });
  });
});
