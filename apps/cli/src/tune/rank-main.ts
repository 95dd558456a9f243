// One rank of `tune-ring`, a process of its own. Arguments: host and port to listen on.
import { tuneRing } from '@skipring/collective';
import { connectRing, RingListener } from '@skipring/transport-ws';
import type { RankMessage, RankTask } from './rank-messages.js';

const DEADLINE_MS = 60_000;

const tell = (message: RankMessage): void => {
  process.send?.(message);
};

/** Says what went wrong and ends, where anything does. */
async function orFail(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.disconnect();
  }
}

async function tune(listener: RingListener, task: RankTask): Promise<void> {
  const { rank, members, ringToken, connectDeadlineMs, budgetMs } = task;
  const transport = await connectRing({
    listener,
    fence: { jobId: 'tune-ring', attempt: 1, generation: 1 },
    rank,
    members,
    ringToken,
    deadlineMs: connectDeadlineMs,
  });
  const tuning = await tuneRing(transport, {
    deadlineMs: DEADLINE_MS,
    budgetMs,
    onProgress: (numDone, numSizes) => {
      tell({ kind: 'progress', numDone, numSizes });
    },
  });
  await transport.close();
  await listener.close();
  tell({ kind: 'tuned', tuning });
  process.disconnect();
}

process.on('disconnect', () => {
  process.exit();
});
await orFail(async () => {
  const [host = '', port] = process.argv.slice(2);
  const listener = await RingListener.listen({ host, port: Number(port) });
  process.once('message', (task) => {
    void orFail(() => tune(listener, task as RankTask));
  });
  tell({ kind: 'listening', port: listener.port, localName: listener.localName });
});
