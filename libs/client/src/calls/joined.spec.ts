import { describe, expect, it } from 'vitest';
import { Http } from '../http.js';
import { Calls } from './calls.js';
import { joined } from './joined.js';

class One extends Calls {
  base(): string {
    return this.http.base;
  }
}

class Other extends Calls {
  path(name: string): string {
    return this.prefixed(name);
  }

  private prefixed(name: string): string {
    return `${this.http.base}/${name}`;
  }
}

describe('joined groups of calls', () => {
  it('have the calls of each, over one connection', () => {
    const Both = joined(One, Other);
    const both = new Both(new Http({ url: 'http://ring/', token: null }));
    expect(both.path('jobs')).toBe(`${both.base()}/jobs`);
  });

  it('leave the groups as they are', () => {
    joined(One, Other);
    expect(One.prototype).not.toHaveProperty('path');
    expect(Calls.prototype).not.toHaveProperty('base');
  });
});
