import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RingTuning } from '@skipring/collective';
import { CommandError, EXIT } from '../exit-codes.js';
import type { Member, RankMessage, RankTask } from './rank-messages.js';

const ENTRY = fileURLToPath(new URL('./rank-main.js', import.meta.url));

/** A rank in a process of its own, which ends with this one. */
export class RankProcess {
  private readonly child: ChildProcess;

  private constructor({ host, port }: Member) {
    this.child = fork(ENTRY, [host, String(port)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /**
   * Starts one that listens; port 0 is any free one.
   * @throws CommandError why it does not
   */
  static async start(
    at: Member,
  ): Promise<{ rank: RankProcess; port: number; localName: string | null }> {
    const rank = new RankProcess(at);
    const { port, localName } = await rank.until((message) =>
      message.kind === 'listening' ? message : undefined,
    );
    return { rank, port, localName };
  }

  /** @throws CommandError why it could not be measured */
  tune(task: RankTask, onProgress: (numDone: number, numSizes: number) => void) {
    const tuned = this.until<RingTuning>((message) => {
      if (message.kind === 'progress') onProgress(message.numDone, message.numSizes);
      return message.kind === 'tuned' ? message.tuning : undefined;
    });
    this.child.send(task);
    return tuned;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }

  /** The first value that a message yields. */
  private until<T>(read: (message: RankMessage) => T | undefined): Promise<T> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        const told = message as RankMessage;
        if (told.kind === 'failed') done(() => reject(failure(told.message)));
        const value = read(told);
        if (value !== undefined) done(() => resolve(value));
      };
      const onExit = (code: number | null): void => {
        done(() => reject(failure(`a rank ended with code ${code ?? 'none'}`)));
      };
      const done = (settle: () => void): void => {
        child.off('message', onMessage).off('exit', onExit);
        settle();
      };
      child.on('message', onMessage).on('exit', onExit);
    });
  }
}

function failure(message: string): CommandError {
  const hint = 'start all ranks, with the same --members and SKIPRING_JOIN_TOKEN';
  return new CommandError(EXIT.unexpected, message, hint);
}
