import { spawn } from 'node:child_process';

/** SIGKILL: nothing is closed, flushed or told. */
export function killProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** SIGSTOP of this process. Another one wakes it, as a process that is stopped can't. */
export function freezeProcess(durationMs: number): void {
  const wake = `setTimeout(() => process.kill(${process.pid}, 'SIGCONT'), ${durationMs})`;
  const alarm = spawn(process.execPath, ['-e', wake], { detached: true, stdio: 'ignore' });
  // Without an alarm it would never wake.
  if (alarm.pid === undefined) return;
  alarm.unref();
  process.kill(process.pid, 'SIGSTOP');
}
