import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Rules {
  readonly allowed: readonly string[];
  readonly allowedInDevelopment: readonly string[];
  readonly exceptions: Readonly<Record<string, string>>;
  readonly allowedFor: Readonly<Record<string, string>>;
}
type Check = (lock: unknown, rules: Rules) => string[];

const { licenceProblems } = (await import(
  new URL('../../scripts/audit-dependencies.mjs', import.meta.url).href
)) as { licenceProblems: Check };
const rules = JSON.parse(
  readFileSync(new URL('../../scripts/licences.json', import.meta.url), 'utf8'),
) as Rules;

describe('licences', () => {
  it('of all locked packages are allowed', () => {
    const lock: unknown = JSON.parse(
      readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    );
    expect(licenceProblems(lock, rules)).toEqual([]);
  });

  it('that are not allowed, or missing, are told with the package', () => {
    const packages = {
      '': { version: '1.0.0' },
      'libs/own': { version: '1.0.0' },
      'node_modules/own': { link: true },
      'node_modules/a': { version: '1.0.0', license: 'MIT' },
      'node_modules/b': { version: '2.0.0', license: 'GPL-3.0' },
      'node_modules/a/node_modules/@c/d': { version: '3.0.0' },
      'node_modules/e': { version: '4.0.0', license: '(GPL-3.0 OR MIT)' },
      'node_modules/f': { version: '5.0.0', license: 'MIT AND GPL-3.0' },
      'node_modules/g': { version: '7.0.0', license: 'MPL-2.0' },
      'node_modules/h': { version: '8.0.0', license: 'MPL-2.0', dev: true },
      'node_modules/@resvg/resvg-js-linux-x64-gnu': { version: '9.0.0', license: 'MPL-2.0' },
      'node_modules/busboy': { version: '6.0.0' },
    };
    expect(licenceProblems({ packages }, rules)).toEqual([
      'b@2.0.0 GPL-3.0',
      '@c/d@3.0.0 (none)',
      'f@5.0.0 MIT AND GPL-3.0',
      'g@7.0.0 MPL-2.0',
    ]);
  });
});
