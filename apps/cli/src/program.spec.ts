import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { makeContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { readEnvironment } from './options.js';
import { makeProgram } from './program.js';

const { signal } = new AbortController();
const program = makeProgram(
  makeContext(readEnvironment({}), { interrupted: signal, forced: signal }),
  '1.2.3',
);

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** Commands that do something, by their full names. */
function leaves(command: Command, prefix = ''): [name: string, command: Command][] {
  return command.commands.flatMap((child) => {
    const name = `${prefix}${child.name()}`;
    return child.commands.length === 0 ? [[name, child]] : leaves(child, `${name} `);
  });
}

describe('the command line', () => {
  it('has these commands', () => {
    expect(leaves(program).map(([name]) => name)).toEqual([
      ...['demo', 'up', 'submit', 'status', 'list', 'cancel', 'pause', 'resume'],
      ...['delete', 'logs'],
      ...['model get', 'model export', 'metrics', 'compare', 'top', 'predict', 'workers', 'drain'],
      ...['dataset add', 'dataset list', 'dataset show', 'dataset remove'],
      ...['sweep submit', 'sweep list', 'sweep show', 'sweep cancel'],
      ...['token create', 'token list', 'token revoke', 'token rotate', 'whoami', 'audit'],
      ...['webhook create', 'webhook list', 'webhook deliveries', 'webhook test'],
      ...['webhook disable', 'webhook enable', 'webhook change', 'webhook rotate'],
      'webhook delete',
      ...[
        'context add',
        'context use',
        'context list',
        'context remove',
        'chaos',
        'doctor',
        'tune-ring',
        'experiment residual',
        'completion',
      ],
    ]);
  });

  it.each(leaves(program))(
    'explains %s, its arguments and options, with an example',
    (name, leaf) => {
      const help = helpOf(leaf);
      expect(help).toContain(leaf.description());
      expect(help).toMatch(new RegExp(`\\nExamples?:\\n  skipring ${name}`));
      for (const { description } of [...leaf.registeredArguments, ...leaf.options]) {
        expect(description).not.toBe('');
      }
    },
  );

  it.each(leaves(program))('takes %s --help, and no option that it has not', async (name, leaf) => {
    leaf.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    const words = name.split(' ');
    const run = (...more: string[]) => program.parseAsync([...words, ...more], { from: 'user' });
    await expect(run('--help')).rejects.toMatchObject({ exitCode: 0 });
    // What it must be given is asked for first.
    await expect(run('--no-such-option')).rejects.toMatchObject({
      code: expect.stringMatching(/^commander\.(unknownOption|missingMandatory)/) as string,
    });
  });

  it('tells the exit codes, which never change meaning', () => {
    expect(helpOf(program)).toContain(
      'Exit codes: 0 ok, 1 unexpected, 2 usage, 3 connection, 4 refused, 5 jobFailed, 6 jobCancelled, 7 environment, 8 chaosFailed, 130 interrupted',
    );
    expect(EXIT).toEqual({
      ok: 0,
      unexpected: 1,
      usage: 2,
      connection: 3,
      refused: 4,
      jobFailed: 5,
      jobCancelled: 6,
      environment: 7,
      chaosFailed: 8,
      interrupted: 130,
    });
  });
});
