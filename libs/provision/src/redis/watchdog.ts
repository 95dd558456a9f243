import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Reads a pipe of which this process holds the only other end. The end of file comes when this
 * process ends in any way, also by SIGKILL; then the shell ends the process $1.
 */
const SCRIPT = 'read -r line; kill -TERM "$1"';

/**
 * Starts a shell that sends SIGTERM to `pid` when this process is gone. It has a session of its
 * own, so that Ctrl-C on the terminal does not end it first. About 1 MB.
 *
 * @returns the shell; `kill` it once `pid` has ended, before the number can be used again.
 */
export function startWatchdog(pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', SCRIPT, 'skipring-watchdog', String(pid)], {
    detached: true,
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Neither the shell nor its pipe keeps this process from ending; that end is what it waits for.
  watchdog.unref();
  const pipe = watchdog.stdin as unknown as { unref?: () => void } & NodeJS.EventEmitter;
  pipe.unref?.();
  pipe.on('error', () => undefined);
  return watchdog;
}
