export * from './client.js';
export * from './errors.js';
export type { ClientOptions } from './http.js';
export { newIdempotencyKey } from './idempotency-key.js';
export { verifyWebhook, WebhookError, type SignedDelivery } from './verify-webhook.js';
