import { createHmac } from 'node:crypto';
import type { Delivery } from '@skipring/protocol';

export const WEBHOOK_SECRET = 'whsec_of-a-receiver-under-attack';
const WRONG = 'SIGNATURE_WRONG';
const MALFORMED = 'SIGNATURE_MALFORMED';

/** What comes to a receiver, and why it must not be taken. */
export interface ForgedWebhook {
  readonly name: string;
  readonly signature: string;
  readonly body: string;
  readonly code: string;
}

const delivery: Delivery = {
  ...{ id: 'mine-1-0', jobId: 'job-1', jobName: 'first', owner: 'ci', state: 'succeeded' },
  ...{ reason: 'done', attempt: 1, time: '2026-05-01T11:59:59.000Z' },
};
const body = JSON.stringify(delivery);
const now = Math.floor(Date.now() / 1_000);
const digest = (text: string, secret = WEBHOOK_SECRET): string =>
  createHmac('sha256', secret).update(text).digest('hex');
const genuine = digest(`${now}.${body}`);

const forged = (name: string, signature: string, code = WRONG, text = body): ForgedWebhook => ({
  ...{ name, signature, code },
  body: text,
});

export const forgedWebhooks: readonly ForgedWebhook[] = [
  forged('no signature', '', MALFORMED),
  forged('a time without a signature', `t=${now}`, MALFORMED),
  forged('a signature without a time', `v1=${genuine}`, MALFORMED),
  forged('an older scheme', `t=${now},v0=${genuine}`, MALFORMED),
  forged('the start of the signature', `t=${now},v1=${genuine.slice(0, 32)}`, MALFORMED),
  forged('a guess', `t=${now},v1=${'0'.repeat(64)}`),
  forged('many guesses', `t=${now}${`,v1=${'0'.repeat(64)}`.repeat(10_000)}`),
  forged('a secret of its own', `t=${now},v1=${digest(`${now}.${body}`, 'whsec_own')}`),
  forged('an empty secret', `t=${now},v1=${digest(`${now}.${body}`, '')}`),
  forged('a digest of the body alone', `t=${now},v1=${digest(body)}`),
  forged('another time', `t=${now - 1},v1=${genuine}`),
  forged('another job', `t=${now},v1=${genuine}`, WRONG, body.replace('job-1', 'job-2')),
  forged('more behind the body', `t=${now},v1=${genuine}`, WRONG, `${body} `),
  forged(
    'a replay after an hour',
    `t=${now - 3_600},v1=${digest(`${now - 3_600}.${body}`)}`,
    'SIGNATURE_EXPIRED',
  ),
  forged(
    'one from the future',
    `t=${now + 3_600},v1=${digest(`${now + 3_600}.${body}`)}`,
    'SIGNATURE_EXPIRED',
  ),
];
