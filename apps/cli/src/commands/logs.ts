import type { Command } from 'commander';
import { targetOf, type CommandContext, type CommonFlags } from '../context.js';
import { followJob } from '../follow.js';
import { ProgressView } from '../output/progress.js';
import { examples } from './help.js';

/** `logs`: a job's events, those stored by now or all until it has ended. */
export function addLogsCommand(program: Command, context: CommandContext): void {
  program
    .command('logs')
    .description("show a job's events")
    .argument('<job>', 'job id')
    .option('-f, --follow', 'go on until the job has ended')
    .addHelpText('after', examples('skipring logs -f JOB', 'skipring logs JOB -o json | jq .type'))
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { follow?: boolean }>();
      const client = await context.client(flags);
      const job = await client.job(id);
      const target = targetOf(process.stdout, context.environment);
      const isLive = flags.follow === true;
      const view = ProgressView.of({ ...target, isTerminal: isLive && target.isTerminal }, job);
      const show: Parameters<typeof followJob>[3] = (event) => {
        // A line each, so that a program can read them as they come.
        if (flags.output === 'json') context.print(JSON.stringify(event));
        else view.show(event);
      };
      try {
        if (isLive) await followJob(context, client, job, show);
        else for await (const event of client.events(id)) show(event);
      } finally {
        view.close();
      }
    });
}
