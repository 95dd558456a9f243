import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Req,
} from '@nestjs/common';
import {
  tokenRotationSchema,
  webhookChangeSchema,
  webhookRequestSchema,
  type DeliveryTry,
  type NewWebhook,
  type WebhookChange,
  type WebhookRequest,
  type WebhookTest,
  type WebhookView,
} from '@skipring/protocol';
import type { z } from 'zod';
import { Access } from '../access/access.guard.js';
import { ANONYMOUS } from '../access/principal.js';
import type { HttpRequest } from '../http/messages.js';
import { WEBHOOKS } from '../tokens.js';
import type { WebhooksService } from './webhooks.service.js';

@Controller('webhooks')
@Access('submitter')
export class WebhooksController {
  constructor(@Inject(WEBHOOKS) private readonly webhooks: WebhooksService) {}

  @Post()
  create(
    @Body({ schema: webhookRequestSchema }) request: WebhookRequest,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<NewWebhook> {
    return this.webhooks.create(request, principal);
  }

  @Get()
  list(@Req() { principal = ANONYMOUS }: HttpRequest): { items: WebhookView[] } {
    return { items: this.webhooks.list(principal) };
  }

  @Get(':name/deliveries')
  async deliveries(
    @Param('name') name: string,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<{ items: DeliveryTry[] }> {
    return { items: await this.webhooks.tries(name, principal) };
  }

  @Post(':name/rotate')
  @HttpCode(200)
  rotate(
    @Param('name') name: string,
    @Body({ schema: tokenRotationSchema.prefault({}) })
    { overlapMs }: z.output<typeof tokenRotationSchema>,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<NewWebhook> {
    return this.webhooks.rotate(name, overlapMs, principal);
  }

  @Post(':name/test')
  @HttpCode(200)
  test(
    @Param('name') name: string,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<WebhookTest> {
    return this.webhooks.test(name, principal);
  }

  @Patch(':name')
  change(
    @Param('name') name: string,
    @Body({ schema: webhookChangeSchema }) change: WebhookChange,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<WebhookView> {
    return this.webhooks.change(name, change, principal);
  }

  @Delete(':name')
  @HttpCode(204)
  remove(
    @Param('name') name: string,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<void> {
    return this.webhooks.remove(name, principal);
  }
}
