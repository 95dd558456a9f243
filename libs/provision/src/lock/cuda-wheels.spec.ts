import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { componentDir } from '../cache/component.js';
import { readWheelLock } from '../cache/wheel-lock.js';
import { optionsFromEnvironment } from '../options/environment.js';

const LOCK = readWheelLock();

/** What TensorFlow's own wheel, as set-up has unpacked it, asks for on a machine with a GPU. */
function cudaRequirements(): {
  distribution: string;
  ranges: [operator: string, bound: string][];
}[] {
  const { cacheDir } = optionsFromEnvironment(process.env);
  const metadata = (['tensorflow-cpu', 'tensorflow-gpu'] as const)
    .map((name) => {
      const [{ distribution, version }] = LOCK[name];
      const info = `${distribution.replace('-', '_')}-${version}.dist-info`;
      return join(componentDir(cacheDir, name, LOCK), info, 'METADATA');
    })
    .find((path) => existsSync(path));
  if (metadata === undefined) throw new Error('TensorFlow is not set up: run npm run setup');
  const lines = readFileSync(metadata, 'utf8').matchAll(
    /^Requires-Dist: ([\w-]+)(\S*); extra == "and-cuda"$/gm,
  );
  return [...lines].map(([, distribution = '', specifiers = '']) => ({
    distribution,
    ranges: specifiers.split(',').map((specifier) => {
      const [, operator = '', bound = ''] = /^(<=|>=|==|<|>)(.+)$/.exec(specifier) ?? [];
      return [operator, bound];
    }),
  }));
}

/** Negative, zero or positive as dotted version `a` is lower than, equal to or higher than `b`. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [
    number[],
    number[],
  ];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const HOLDS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '==': (order) => order === 0,
  '>=': (order) => order >= 0,
  '>': (order) => order > 0,
};

describe('the wheels for GPUs', () => {
  it("are all that TensorFlow's wheel asks for, in the versions that it asks for", () => {
    const requirements = cudaRequirements();
    const pinned = new Map(
      LOCK['tensorflow-gpu'].slice(1).map((wheel) => [wheel.distribution, wheel.version]),
    );
    expect([...pinned.keys()].sort()).toEqual(
      requirements.map(({ distribution }) => distribution).sort(),
    );
    for (const { distribution, ranges } of requirements) {
      const version = pinned.get(distribution) ?? '';
      for (const [operator, bound] of ranges) {
        const holds = HOLDS[operator]?.(compareVersions(version, bound));
        expect(holds, `${distribution} ${version} ${operator} ${bound}`).toBe(true);
      }
    }
  });
});
