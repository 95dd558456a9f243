import { workerData } from 'node:worker_threads';
import { BatchProducer } from './batches/batch-producer.js';
import type { FromThread, ThreadData, ToThread } from './batches/thread-messages.js';

// Entry of the thread that LaneBatches starts.
const { port, ...data } = workerData as ThreadData;

const post = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void => {
  port.postMessage(message, [...transfer]);
};

// An exception ends the thread; the reason must reach the other side before.
process.on('uncaughtException', (error) => {
  const code = 'code' in error ? String(error.code) : 'BATCH_THREAD_FAILED';
  post({ kind: 'failed', code, message: error.message });
  port.close();
});

const producer = new BatchProducer(data, post);
port.on('message', (message: ToThread) => {
  producer.receive(message);
});
post({ kind: 'ready' });
