import { describe, expect, it } from 'vitest';
import type { IoThreadData, ThreadError } from '../thread-messages.js';
import { IoLink } from './io-link.js';

const STARTED = `parentPort.postMessage({ kind: 'started', metricsPort: 1, ringPort: 2 });`;

/** A thread in place of the I/O thread, of this source. */
function threadOf(body: string): URL {
  const source = `import { parentPort } from 'node:worker_threads';${body}`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

function start(body: string, onFatal: (error: ThreadError) => void = () => undefined) {
  const events = { onMessage: () => undefined, onGatewayClosed: () => undefined, onFatal };
  return IoLink.start({} as IoThreadData, events, threadOf(body));
}

describe('the link to the I/O thread', () => {
  it('rejects what waits and what comes later when the thread ends, and tells once', async () => {
    const fatal: ThreadError[] = [];
    const { link } = await start(
      `${STARTED} parentPort.once('message', () => { throw new Error('broken'); });`,
      (error) => fatal.push(error),
    );
    await expect(link.request({ kind: 'closeRing' })).rejects.toThrow('broken');
    await link.close();
    await expect(link.request({ kind: 'closeRing' })).rejects.toThrow('broken');
    expect(fatal).toEqual([{ code: 'IO_THREAD', message: 'broken' }]);
  });

  it('takes an end that was not asked for as a failure', async () => {
    const { link } = await start(`${STARTED} parentPort.once('message', () => process.exit(0));`);
    await expect(link.request({ kind: 'closeRing' })).rejects.toThrow('the I/O thread has ended');
  });

  it('takes the end that it asked for as none', async () => {
    const fatal: ThreadError[] = [];
    const { link } = await start(
      `${STARTED} parentPort.once('message', () => parentPort.close());`,
      (error) => fatal.push(error),
    );
    await link.close();
    expect(fatal).toEqual([]);
  });

  it('rejects when the thread cannot start', async () => {
    const fatal: ThreadError[] = [];
    const starting = start(`throw new Error('the port is in use');`, (error) => fatal.push(error));
    await expect(starting).rejects.toThrow('the port is in use');
    expect(fatal).toEqual([]);
  });
});
