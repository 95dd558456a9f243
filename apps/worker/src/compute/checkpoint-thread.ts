import { parentPort, workerData } from 'node:worker_threads';
import { encodeSnapshot, splitSnapshot } from '@skipring/checkpoint';
import { describeError } from '../thread-error.js';
import type {
  CoordinatorAddress,
  FromCheckpointThread,
  StoreRequest,
  ToCheckpointThread,
} from './checkpoint-messages.js';
import { CheckpointUploader } from './checkpoint-uploader.js';
import { CoordinatorHttp } from './coordinator-http.js';

// Entry of the thread that UploadThread starts: encodes snapshots and uploads them.
if (parentPort === null) throw new Error('compute/checkpoint-thread is the entry of a thread');
const port = parentPort;
const { coordinatorUrl, joinToken } = workerData as CoordinatorAddress;
const http = new CoordinatorHttp(coordinatorUrl, joinToken);
const uploader = new CheckpointUploader((fence, step, bytes, signal) =>
  http.storeCheckpoint(fence, step, bytes, signal),
);
const uploads = new Map<number, AbortController>();

async function store({ id, snapshot }: StoreRequest): Promise<void> {
  const abort = new AbortController();
  uploads.set(id, abort);
  let answer: FromCheckpointThread;
  try {
    const bytes = encodeSnapshot(snapshot);
    const { 'model.safetensors': model } = splitSnapshot(bytes).manifest.files;
    await uploader.upload(snapshot.position.step, bytes, abort.signal);
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
      uploader.enter(message.fence);
      return;
    case 'store':
      void store(message);
      return;
    case 'abort':
      uploads.get(message.id)?.abort();
      return;
  }
});
