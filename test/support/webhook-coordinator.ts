import {
  deliveryTrySchema,
  newWebhookSchema,
  webhookTestSchema,
  webhookViewSchema,
  type DeliveryTry,
  type NewWebhook,
  type WebhookChange,
  type WebhookTest,
  type WebhookView,
} from '@skipring/protocol';
import { expect } from 'vitest';
import { startCoordinator, type TestCoordinator } from './coordinator.js';

const API_TOKEN = 'the-token-of-the-configuration';
const ROOT = { authorization: `Bearer ${API_TOKEN}` };

/** A coordinator that asks for tokens and calls webhooks of private addresses. */
export class WebhookCoordinator {
  /** Sends with the token of the configuration unless another is given. */
  readonly root: TestCoordinator;

  private constructor(
    /** Sends without a token unless one is given. */
    readonly api: TestCoordinator,
  ) {
    const send: TestCoordinator['send'] = (path, request = {}) =>
      api.send(path, { ...request, headers: { ...ROOT, ...request.headers } });
    this.root = { ...api, send };
  }

  static async start(redisUrl: string, keyPrefix: string): Promise<WebhookCoordinator> {
    const options = { keyPrefix, apiToken: API_TOKEN, joinToken: API_TOKEN, webhooksPrivate: true };
    return new WebhookCoordinator(await startCoordinator(redisUrl, options));
  }

  async register(json: object, headers = ROOT): Promise<NewWebhook> {
    const answer = await this.api.send('/webhooks', { json, headers });
    expect(answer.status).toBe(201);
    return newWebhookSchema.parse(await answer.json());
  }

  async test(name: string): Promise<WebhookTest> {
    const answer = await this.root.send(`/webhooks/${name}/test`, { method: 'POST' });
    expect(answer.status).toBe(200);
    return webhookTestSchema.parse(await answer.json());
  }

  async change(name: string, json: WebhookChange): Promise<WebhookView> {
    const answer = await this.root.send(`/webhooks/${name}`, { method: 'PATCH', json });
    expect(answer.status).toBe(200);
    return webhookViewSchema.parse(await answer.json());
  }

  async view(name: string): Promise<WebhookView> {
    const answer = await this.root.send('/webhooks');
    const { items } = (await answer.json()) as { items: unknown[] };
    const views = items.map((item) => webhookViewSchema.parse(item));
    return views.find((view) => view.name === name) ?? expect.fail(`no webhook ${name}`);
  }

  async tries(name: string): Promise<DeliveryTry[]> {
    const answer = await this.root.send(`/webhooks/${name}/deliveries`);
    const { items } = (await answer.json()) as { items: unknown[] };
    return items.map((item) => deliveryTrySchema.parse(item));
  }

  close(): Promise<void> {
    return this.api.close();
  }
}
