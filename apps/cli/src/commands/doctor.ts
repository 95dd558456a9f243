import type { Command } from 'commander';
import { doctor, optionsFromEnvironment } from '@skipring/provision';
import type { CommandContext, CommonFlags } from '../context.js';
import { examples } from './help.js';
import { CommandError, EXIT } from '../exit-codes.js';

/** `doctor`: what this machine has, and what to do about what it lacks. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what this machine has and what is missing')
    .addHelpText('after', examples('skipring doctor'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const checks = await doctor(optionsFromEnvironment(context.environment.inherited), {
        dataDir: context.dataDirectory(flags),
      });
      const marks = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
      context.show(flags, checks, () =>
        checks
          .flatMap(({ name, status, detail, fix }) => [
            `${context.style(marks[status], status.padEnd(5))}${name.padEnd(16)}${detail}`,
            ...(fix === undefined ? [] : [`     ${' '.repeat(16)}-> ${fix}`]),
          ])
          .join('\n'),
      );
      if (checks.some(({ status }) => status === 'fail')) {
        throw new CommandError(
          EXIT.environment,
          'this machine lacks something that Skipring needs',
        );
      }
    });
}
