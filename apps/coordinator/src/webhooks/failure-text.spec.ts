import { once } from 'node:events';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { linkedSignal } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { PrivateAddressError } from './address-guard.js';
import { DeliveryRefused } from './deliver.js';
import { failureText } from './failure-text.js';

const withCode = (code: string, message = ''): Error => Object.assign(new Error(message), { code });

describe('why a delivery failed', () => {
  it.each([
    [new DeliveryRefused(503), 'the receiver answered with status 503'],
    // Of a host with several addresses the message is empty.
    [withCode('ECONNREFUSED'), 'nothing listens at this address (ECONNREFUSED)'],
    [
      withCode('HPE_INVALID_CONSTANT', 'Parse Error'),
      'the answer is not HTTP (HPE_INVALID_CONSTANT)',
    ],
    [withCode('EOTHER', 'something else'), 'something else (EOTHER)'],
    [new PrivateAddressError('x is not public'), 'x is not public (ADDRESS_PRIVATE)'],
    [new Error('no code'), 'no code'],
    ['thrown', 'thrown'],
  ])('%s is told as "%s"', (error, text) => {
    expect(failureText(error)).toBe(text);
  });

  it('is that no answer came, when the deadline has ended the request', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const error = await new Promise((done) => {
      const { signal } = linkedSignal([AbortSignal.timeout(1), new AbortController().signal]);
      get({ host: '127.0.0.1', port, signal }).on('error', done);
    });
    silent.close();
    expect(failureText(error)).toBe('no answer in time (TIMEOUT)');
  });

  it('is not longer than a list can show', () => {
    expect(failureText(withCode('EOTHER', 'x'.repeat(1_000)))).toHaveLength(200);
    expect(failureText(new Error('x'.repeat(1_000)))).toHaveLength(200);
  });
});
