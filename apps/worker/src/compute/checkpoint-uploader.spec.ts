import type { Fence } from '@skipring/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CheckpointUploader } from './checkpoint-uploader.js';
import { CoordinatorRequestError } from './coordinator-http.js';

const fence = (generation: number): Fence => ({ jobId: 'job', attempt: 1, generation });
const bytes = new Uint8Array(1);
const DEADLINE_MS = 50;

/** The generation that the coordinator takes checkpoints of. */
let current: number;
/** Generations for which one was sent. */
let sent: number[];
let uploader: CheckpointUploader;

beforeEach(() => {
  current = 1;
  sent = [];
  uploader = new CheckpointUploader(({ generation }) => {
    sent.push(generation);
    if (generation === current) return Promise.resolve();
    return Promise.reject(new CoordinatorRequestError('HTTP_409', 'ATTEMPT_STALE'));
  }, DEADLINE_MS);
  uploader.enter(fence(1));
});

const upload = (signal = new AbortController().signal) => uploader.upload(3, bytes, signal);
const refused = () =>
  vi.waitFor(() => {
    expect(sent).toEqual([1]);
  });

describe('uploads of checkpoints', () => {
  it('are for the generation that the worker is in', async () => {
    await upload();
    expect(sent).toEqual([1]);
  });

  it('are for the next one when the coordinator knew of it before the worker', async () => {
    current = 2;
    const stored = upload();
    await refused();
    uploader.enter(fence(2));
    await stored;
    expect(sent).toEqual([1, 2]);
  });

  it('are refused when the worker enters no other generation', async () => {
    current = 2;
    await expect(upload()).rejects.toThrow('ATTEMPT_STALE');
    expect(sent).toEqual([1]);
  });

  it('end at once when they are given up, also while they wait for a generation', async () => {
    current = 2;
    const abort = new AbortController();
    const given = expect(upload(abort.signal)).rejects.toThrow('ATTEMPT_STALE');
    await refused();
    abort.abort();
    await given;
  });

  it('that fail otherwise are not sent again', async () => {
    const failing = new CheckpointUploader(() =>
      Promise.reject(new CoordinatorRequestError('HTTP_507', 'STORAGE_FULL')),
    );
    failing.enter(fence(1));
    const stored = failing.upload(3, bytes, new AbortController().signal);
    await expect(stored).rejects.toThrow('STORAGE_FULL');
  });
});
