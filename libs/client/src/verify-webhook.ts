import { deliverySchema, type Delivery } from '@skipring/protocol';

const TOLERANCE_MS = 300_000;
const MAX_HEADER_LENGTH = 1_000;

/** A delivery is not what a coordinator signed a short while ago. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  constructor(
    readonly code:
      'SIGNATURE_MALFORMED' | 'SIGNATURE_EXPIRED' | 'SIGNATURE_WRONG' | 'BODY_MALFORMED',
    message: string,
  ) {
    super(message);
  }
}

export interface SignedDelivery {
  /** Of the webhook, as its registration gave it. */
  readonly secret: string;
  /** The value of the header `Skipring-Signature`. */
  readonly signature: string;
  /** The body as it arrived, byte for byte. */
  readonly body: string;
  /** The signature may be this old, or this far ahead of this clock; default 5 minutes. */
  readonly toleranceMs?: number;
  readonly nowMs?: number;
}

/**
 * The delivery, once its signature is checked, in constant time. One that is recorded and sent again
 * later is refused by its time; within the tolerance, tell repeats by `id`.
 * @throws WebhookError
 */
export async function verifyWebhook(signed: SignedDelivery): Promise<Delivery> {
  const { secret, signature, body, toleranceMs = TOLERANCE_MS, nowMs = Date.now() } = signed;
  const parts = signature.slice(0, MAX_HEADER_LENGTH).split(',');
  const [, seconds] = /^t=(\d{1,12})$/.exec(parts[0] ?? '') ?? [];
  const given = parts.slice(1).flatMap((part) => /^v1=([0-9a-f]{64})$/.exec(part)?.[1] ?? []);
  if (seconds === undefined || given.length === 0) {
    throw new WebhookError('SIGNATURE_MALFORMED', 'expected a signature such as t=SECONDS,v1=HEX');
  }
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, [
    'verify',
  ]);
  const content = encoder.encode(`${seconds}.${body}`);
  const verdicts = await Promise.all(
    given.map((hex) => crypto.subtle.verify('HMAC', key, bytesOf(hex), content)),
  );
  if (!verdicts.includes(true)) {
    throw new WebhookError('SIGNATURE_WRONG', 'the body was not signed with this secret');
  }
  if (Math.abs(nowMs - Number(seconds) * 1_000) > toleranceMs) {
    throw new WebhookError('SIGNATURE_EXPIRED', 'the signature is too old, or from the future');
  }
  const parsed = deliverySchema.safeParse(parseJson(body));
  if (!parsed.success) {
    throw new WebhookError('BODY_MALFORMED', 'the body is not a delivery of this version');
  }
  return parsed.data;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
