import { getEventListeners } from 'node:events';
import { START_POSITION } from '@skipring/data';
import type { Snapshot } from '@skipring/trainer';
import { expect, it } from 'vitest';
import { UploadThread } from './upload-thread.js';

/** A thread that stores the first snapshot at once, and none after it. */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ kind, id }) => {
      if (kind === 'abort' || id === 1) {
        const error = kind === 'abort' ? { name: 'Error', code: 'GIVEN_UP', message: '' } : null;
        parentPort.postMessage({ id, modelSha256: 'a hash', error });
      }
    });
  `)}`,
);

const snapshot = (): Snapshot => ({
  position: START_POSITION,
  tensors: new Map(),
  exponents: new Int32Array(),
  scores: { last: null, best: null },
});

it('an upload that has ended is known to no signal, however long that lives', async () => {
  const upload = new UploadThread({ coordinatorUrl: 'http://nowhere', joinToken: null }, entry);
  const connection = new AbortController();
  const { signal } = connection;
  expect(await upload.store(snapshot(), signal)).toEqual({ modelSha256: 'a hash' });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const givenUp = upload.store(snapshot(), signal);
  connection.abort();
  await expect(givenUp).rejects.toMatchObject({ code: 'GIVEN_UP' });
  const cutOff = upload.store(snapshot(), new AbortController().signal);
  const rejected = expect(cutOff).rejects.toThrow('closed');
  await upload.close();
  await rejected;
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
