import { parentPort, workerData } from 'node:worker_threads';
import { encodeSnapshot, splitSnapshot } from '@skipring/checkpoint';
import type { Fence } from '@skipring/protocol';
import { describeError } from '../thread-error.js';
import type {
  CoordinatorAddress,
  FromCheckpointThread,
  StoreRequest,
  ToCheckpointThread,
} from './checkpoint-messages.js';
import { CoordinatorHttp, CoordinatorRequestError } from './coordinator-http.js';

// Entry of the thread that UploadThread starts: encodes snapshots and uploads them.
if (parentPort === null) throw new Error('compute/checkpoint-thread is the entry of a thread');
const port = parentPort;
const { coordinatorUrl, joinToken } = workerData as CoordinatorAddress;
const http = new CoordinatorHttp(coordinatorUrl, joinToken);
const uploads = new Map<number, AbortController>();
let newest: Fence | null = null;

/**
 * Uploads for the newest generation: a state that was committed in the one before is one of the next
 * as well. The fence keeps a worker out that is in neither.
 */
async function upload(step: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (;;) {
    const fence = newest;
    if (fence === null) throw new Error('this worker is in no generation');
    try {
      await http.storeCheckpoint(fence, step, bytes, signal);
      return;
    } catch (error) {
      const isStale = error instanceof CoordinatorRequestError && error.code === 'HTTP_409';
      if (!isStale || fence === newest) throw error;
    }
  }
}

async function store({ id, snapshot }: StoreRequest): Promise<void> {
  const abort = new AbortController();
  uploads.set(id, abort);
  let answer: FromCheckpointThread;
  try {
    const bytes = encodeSnapshot(snapshot);
    const { 'model.safetensors': model } = splitSnapshot(bytes).manifest.files;
    await upload(snapshot.position.step, bytes, abort.signal);
    answer = { id, modelSha256: model.sha256, error: null };
  } catch (error) {
    answer = { id, modelSha256: null, error: describeError(error) };
  }
  uploads.delete(id);
  port.postMessage(answer);
}

port.on('message', (message: ToCheckpointThread) => {
  switch (message.kind) {
    case 'enter':
      newest = message.fence;
      return;
    case 'store':
      void store(message);
      return;
    case 'abort':
      uploads.get(message.id)?.abort();
      return;
  }
});
