import { createHmac } from 'node:crypto';
import type { Delivery } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { verifyWebhook, type SignedDelivery } from './verify-webhook.js';

const secret = 'whsec_of-the-test';
const nowMs = Date.parse('2026-05-01T12:00:00Z');
const delivery: Delivery = {
  id: 'mine-1-0',
  jobId: 'job-1',
  jobName: 'first, ä',
  owner: 'ci',
  state: 'succeeded',
  reason: 'done',
  attempt: 1,
  time: '2026-05-01T11:59:59.000Z',
};
const body = JSON.stringify(delivery);
const seconds = nowMs / 1_000;
const digest = (key: string, text = body, at = seconds): string =>
  createHmac('sha256', key).update(`${at}.${text}`).digest('hex');
const verify = (changes: Partial<SignedDelivery>): Promise<Delivery> =>
  verifyWebhook({
    ...{ secret, body, nowMs, signature: `t=${seconds},v1=${digest(secret)}` },
    ...changes,
  });

describe('a delivery', () => {
  it('that was signed with the secret is taken', async () => {
    expect(await verify({})).toEqual(delivery);
  });

  it('is taken with the old or the new secret during a rotation', async () => {
    const signature = `t=${seconds},v1=${digest('whsec_new')},v1=${digest(secret)}`;
    expect(await verify({ signature })).toEqual(delivery);
    expect(await verify({ signature, secret: 'whsec_new' })).toEqual(delivery);
  });

  it.each([
    ['of another secret', { signature: `t=${seconds},v1=${digest('whsec_other')}` }],
    ['with a changed body', { body: body.replace('succeeded', 'failed') }],
    ['with a changed time', { signature: `t=${seconds + 1},v1=${digest(secret)}` }],
    ['with a digest of the body alone', { signature: `t=${seconds},v1=${'0'.repeat(64)}` }],
  ])('%s is forged', async (_, changes) => {
    await expect(verify(changes)).rejects.toMatchObject({ code: 'SIGNATURE_WRONG' });
  });

  it('that is replayed later, or comes from the future, is refused', async () => {
    for (const shiftMs of [301_000, -301_000]) {
      await expect(verify({ nowMs: nowMs + shiftMs })).rejects.toMatchObject({
        code: 'SIGNATURE_EXPIRED',
      });
    }
    expect(await verify({ nowMs: nowMs + 299_000 })).toEqual(delivery);
  });

  it.each(['', 't=1', `v1=${digest(secret)}`, `t=x,v1=${digest(secret)}`, 't=1,v1=00', 't=,v1='])(
    'with the signature "%s" is malformed',
    async (signature) => {
      await expect(verify({ signature })).rejects.toMatchObject({ code: 'SIGNATURE_MALFORMED' });
    },
  );

  it('that is signed but no delivery is refused', async () => {
    for (const text of ['{', '{}', 'null']) {
      const signature = `t=${seconds},v1=${digest(secret, text)}`;
      await expect(verify({ body: text, signature })).rejects.toMatchObject({
        code: 'BODY_MALFORMED',
      });
    }
  });
});
