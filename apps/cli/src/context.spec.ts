import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { targetOf } from './context.js';
import { readEnvironment } from './options.js';

const terminal = Object.assign(new PassThrough(), {
  isTTY: true,
  columns: 100,
}) as unknown as NodeJS.WriteStream;
const pipe = new PassThrough() as unknown as NodeJS.WriteStream;

const red = (stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): string =>
  targetOf(stream, readEnvironment(environment)).style('red', 'x');

describe('colours', () => {
  it('are for terminals', () => {
    expect(red(terminal, {})).toBe('\u001b[31mx\u001b[0m');
    expect(red(pipe, {})).toBe('x');
  });

  it.each([{ NO_COLOR: '1' }, { NO_COLOR: 'no' }, { TERM: 'dumb' }])('are none with %j', (env) => {
    expect(red(terminal, env)).toBe('x');
  });

  it('are not turned off by an empty NO_COLOR', () => {
    expect(red(terminal, { NO_COLOR: '' })).toContain('\u001b');
  });
});

describe('targetOf', () => {
  it('draws over lines on a terminal only, as wide as it is', () => {
    const target = targetOf(terminal, { colour: true });
    expect({ isTerminal: target.isTerminal, columns: target.columns() }).toEqual({
      isTerminal: true,
      columns: 100,
    });
    expect(targetOf(pipe, { colour: true }).isTerminal).toBe(false);
  });
});
