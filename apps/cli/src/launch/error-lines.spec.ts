import { describe, expect, it } from 'vitest';
import { ErrorLines } from './error-lines.js';

describe('ErrorLines', () => {
  it('keeps standard error and logged errors, in order, and nothing else of the log', () => {
    const lines = new ErrorLines();
    lines.addLogged({ level: 30, msg: 'started' });
    lines.addPlain('a warning of a library');
    lines.addPlain('  ');
    lines.addLogged({ level: 60, msg: 'cannot start', err: { message: 'the port is taken' } });
    lines.addLogged({ level: 50, err: { message: 'no message of its own' } });
    expect(String(lines)).toBe(
      '\n  a warning of a library\n  cannot start: the port is taken\n  no message of its own',
    );
  });

  it('keeps the last ones, each cut to a length', () => {
    const lines = new ErrorLines();
    for (let i = 0; i < 100; i += 1) lines.addPlain(`${i} ${'x'.repeat(10_000)}`);
    const kept = String(lines).split('\n').slice(1);
    expect(kept.map((line) => parseInt(line, 10))).toEqual([92, 93, 94, 95, 96, 97, 98, 99]);
    expect(String(lines).length).toBeLessThan(5_000);
  });

  it('is empty without errors', () => {
    expect(String(new ErrorLines())).toBe('');
  });
});
