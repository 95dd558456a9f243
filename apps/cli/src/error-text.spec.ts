import { ApiError, ConnectionError, ResponseError } from '@skipring/client';
import { ProvisionError } from '@skipring/provision';
import { describe, expect, it } from 'vitest';
import { describeError, fieldLines } from './error-text.js';
import { CommandError, EXIT } from './exit-codes.js';

const problem = (code: string, errors?: { field: string; value: string; expected: string }[]) =>
  new ApiError({
    ...{ type: 'about:blank', title: 'The title', status: 422, code, detail: 'the detail' },
    ...(errors === undefined ? {} : { errors }),
  });
const cause = new Error('ECONNREFUSED');

describe('an error', () => {
  it.each([
    ['of a command has the code that it says', new CommandError(EXIT.jobFailed, 'it'), 5],
    ['of the coordinator', problem('JOB_UNKNOWN'), EXIT.refused],
    ['of the connection', new ConnectionError('http://x', { cause }), EXIT.connection],
    ['of the machine', new ProvisionError('DISK_FULL', 'no space', 'free some'), EXIT.environment],
    ['of an answer of another version', new ResponseError('strange'), EXIT.unexpected],
    ['of any other kind', new TypeError('x is not a function'), EXIT.unexpected],
    ['that is none', 'text', EXIT.unexpected],
  ])('%s', (_, error, exitCode) => {
    const told = describeError(error, false);
    expect(told.exitCode).toBe(exitCode);
    expect(told.message).not.toContain('\n    at ');
  });

  it('of an interrupted command is told as that, whatever it failed with', () => {
    const told = describeError(new ConnectionError('http://x'), true);
    expect(told).toEqual({ exitCode: EXIT.interrupted, message: 'interrupted', hint: null });
    const own = describeError(new CommandError(EXIT.interrupted, 'the job goes on'), true);
    expect(own.message).toBe('the job goes on');
  });

  it('of fields names each, and says what to do next where that is known', () => {
    const errors = [
      { field: '/training/epochs', value: '0', expected: 'at least 1' },
      { field: '', value: '[]', expected: 'a mapping' },
      { field: '/x', value: '1', expected: 'no such field' },
    ];
    expect(describeError(problem('REQUEST_INVALID', errors), false).message).toBe(
      'The title (REQUEST_INVALID)\n  training.epochs: 0: expected at least 1' +
        '\n  (all of it): []: expected a mapping\n  x: 1: no such field',
    );
    expect(describeError(problem('TOKEN_UNKNOWN'), false)).toMatchObject({
      message: 'the detail (TOKEN_UNKNOWN)',
      hint: 'skipring token list',
    });
    expect(fieldLines(errors.slice(0, 1), () => 'job.yaml:3:5')).toContain('\n  job.yaml:3:5 ');
  });
});
