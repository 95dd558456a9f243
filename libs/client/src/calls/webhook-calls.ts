import {
  newWebhookSchema,
  deliveryTrySchema,
  webhookTestSchema,
  webhookViewSchema,
  type NewWebhook,
  type DeliveryTry,
  type WebhookChange,
  type WebhookRequestInput,
  type WebhookTest,
  type WebhookView,
} from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

/** Webhooks and their deliveries. */
export class WebhookCalls extends Calls {
  /** Registers a webhook. The answer alone has the secret; `verifyWebhook` checks deliveries with it. */
  createWebhook(request: WebhookRequestInput): Promise<NewWebhook> {
    return this.http.json(newWebhookSchema, '/webhooks', { method: 'POST', body: request });
  }

  async webhooks(): Promise<WebhookView[]> {
    return (await this.http.json(list(webhookViewSchema), '/webhooks')).items;
  }

  /** The newest tries to deliver, newest first. */
  async deliveries(webhook: string): Promise<DeliveryTry[]> {
    const path = `/webhooks/${encodeURIComponent(webhook)}/deliveries`;
    return (await this.http.json(list(deliveryTrySchema), path)).items;
  }

  /** @param overlapMs how long the old secret signs beside the new one */
  rotateWebhook(name: string, overlapMs = 0): Promise<NewWebhook> {
    return this.http.json(newWebhookSchema, `/webhooks/${encodeURIComponent(name)}/rotate`, {
      method: 'POST',
      body: { overlapMs },
    });
  }

  /** Disables or enables a webhook, or changes its URL or states; what is not named stays. */
  changeWebhook(name: string, change: WebhookChange): Promise<WebhookView> {
    return this.http.json(webhookViewSchema, `/webhooks/${encodeURIComponent(name)}`, {
      method: 'PATCH',
      body: change,
    });
  }

  /** Sends a signed test delivery, once, and tells what became of it. */
  testWebhook(name: string): Promise<WebhookTest> {
    return this.http.json(webhookTestSchema, `/webhooks/${encodeURIComponent(name)}/test`, {
      method: 'POST',
    });
  }

  async deleteWebhook(name: string): Promise<void> {
    await this.http.send(`/webhooks/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }
}
