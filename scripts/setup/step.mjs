import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A step that failed, or was interrupted; its own output has said why. */
export class StepError extends Error {
  constructor(message, exitCode, { interrupted = false } = {}) {
    super(message);
    this.name = 'StepError';
    this.exitCode = exitCode;
    this.interrupted = interrupted;
  }
}

/**
 * Runs this Node.js with `args` to its end, its output on ours. On Ctrl-C or SIGTERM the step ends
 * first and set-up after it.
 */
export async function runStep(name, args, { cwd, env }) {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 2, 2] });
  let interruptedBy;
  const onSignal = (signal) => {
    interruptedBy = signal;
    child.kill(signal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const { status, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitStatus, exitSignal) =>
      resolve({ status: exitStatus, signal: exitSignal }),
    );
  });
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  const endedBy = interruptedBy ?? signal;
  if (endedBy) {
    const exitCode = 128 + constants.signals[endedBy];
    throw new StepError(`${name} was interrupted (${endedBy})`, exitCode, { interrupted: true });
  }
  if (status !== 0) throw new StepError(`${name} failed (status ${status})`, status ?? 1);
}
