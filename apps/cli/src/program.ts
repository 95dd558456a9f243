import { Command, Option } from 'commander';
import { addChaosCommand } from './commands/chaos.js';
import { addClusterCommands } from './commands/cluster.js';
import { addCompareCommand } from './commands/compare.js';
import { addCompletionCommand } from './commands/completion.js';
import { addContextCommands } from './commands/contexts.js';
import { addDataSetCommands } from './commands/data-sets.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addJobCommands } from './commands/jobs.js';
import { addModelCommands } from './commands/model.js';
import { addLogsCommand } from './commands/logs.js';
import { addMetricsCommand } from './commands/metrics.js';
import { addSweepCommands } from './commands/sweeps.js';
import { addTokenCommands } from './commands/tokens.js';
import { addTopCommand } from './commands/top.js';
import { addTuneRingCommand } from './commands/tune-ring.js';
import { addUpCommand } from './commands/up.js';
import { addWebhookCommands } from './commands/webhooks.js';
import type { CommandContext } from './context.js';
import { addDemoCommand } from './demo/demo.js';
import { EXIT } from './exit-codes.js';
import { addExperimentCommand } from './experiment/experiment.js';
import { addPredictCommand } from './predict/predict.js';

/** The whole command line. */
export function makeProgram(context: CommandContext, version: string): Command {
  const program = new Command('skipring')
    .description('Train residual networks data-parallel: the same bits on any cluster.')
    .version(version)
    .option(
      '--url <url>',
      'coordinator (default: SKIPRING_URL, else the context in use, else `skipring up`)',
    )
    .option(
      '--token <token>',
      'API token (default: SKIPRING_TOKEN, else that of the context or `skipring up`)',
    )
    .option('--context <name>', 'a cluster of `skipring context` (default: the one in use)')
    .option(
      '--data-dir <path>',
      'where `skipring up` keeps everything (default: SKIPRING_DATA_DIR, else ~/.local/share/skipring)',
    )
    .addOption(
      new Option('-o, --output <format>', 'output format')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText(
      'after',
      `\nExit codes: ${Object.entries(EXIT)
        .map(([name, code]) => `${code} ${name}`)
        .join(', ')}`,
    )
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addDemoCommand(program, context);
  addUpCommand(program, context);
  addJobCommands(program, context);
  addLogsCommand(program, context);
  addModelCommands(program, context);
  addMetricsCommand(program, context);
  addCompareCommand(program, context);
  addTopCommand(program, context);
  addPredictCommand(program, context);
  addClusterCommands(program, context);
  addDataSetCommands(program, context);
  addSweepCommands(program, context);
  addTokenCommands(program, context);
  addWebhookCommands(program, context);
  addContextCommands(program, context);
  addChaosCommand(program, context);
  addDoctorCommand(program, context);
  addTuneRingCommand(program, context);
  addExperimentCommand(program, context);
  addCompletionCommand(program, context);
  for (const command of program.commands) inherit(command);
  return program;
}

/** Usage errors are thrown, not exited on, by every command of the tree. */
function inherit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(inherit);
}
