import { createHmac } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { linkedSignal, SIGNATURE_HEADER, type Delivery } from '@skipring/protocol';
import { publicLookup, requirePublicHost } from './address-guard.js';

const TIMEOUT_MS = 5_000;

/** A receiver answered with another status than 2xx. */
export class DeliveryRefused extends Error {
  override readonly name = 'DeliveryRefused';
  constructor(readonly status: number) {
    super(`the receiver answered with status ${status}`);
  }
}

/** The value of SIGNATURE_HEADER, with one signature for each secret. */
export function signatureOf(secrets: readonly string[], body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  const digests = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'),
  );
  return [`t=${seconds}`, ...digests.map((digest) => `v1=${digest}`)].join(',');
}

export interface DeliveryTarget {
  readonly url: string;
  readonly secrets: readonly string[];
  /** Whether addresses of private networks may be called. */
  readonly allowPrivate: boolean;
  /** Gives the try up. */
  readonly signal: AbortSignal;
}

/**
 * Sends a delivery. Redirections are not followed, and the answer's body is not read.
 * @returns the status of the answer
 * @throws DeliveryRefused, PrivateAddressError, and errors of the connection and of its deadline
 */
export function deliver(target: DeliveryTarget, delivery: Delivery): Promise<number> {
  const { secrets, allowPrivate, signal } = target;
  const url = new URL(target.url);
  const body = JSON.stringify(delivery);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const ended = linkedSignal([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const delivered = new Promise<number>((resolve, reject) => {
    if (!allowPrivate) requirePublicHost(url.hostname);
    const request = send(url, {
      method: 'POST',
      agent: false,
      signal: ended.signal,
      ...(allowPrivate ? {} : { lookup: publicLookup }),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'skipring-webhook/1',
        'skipring-delivery': delivery.id,
        [SIGNATURE_HEADER]: signatureOf(secrets, body, Date.now()),
      },
    });
    request.once('response', (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      if (statusCode >= 200 && statusCode < 300) resolve(statusCode);
      else reject(new DeliveryRefused(statusCode));
    });
    // After an answer, too: its connection may break.
    request.on('error', reject);
    request.end(body);
  });
  return delivered.finally(ended.release);
}
