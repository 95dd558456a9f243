import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import {
  tokenRequestSchema,
  tokenRotationSchema,
  type NewToken,
  type TokenRequest,
  type TokenView,
} from '@skipring/protocol';
import type { z } from 'zod';
import type { HttpRequest } from '../http/messages.js';
import { TOKENS } from '../tokens.js';
import { Access } from './access.guard.js';
import { ANONYMOUS } from './principal.js';
import type { TokensService } from './tokens.service.js';

@Controller('tokens')
@Access('admin')
export class TokensController {
  constructor(@Inject(TOKENS) private readonly tokens: TokensService) {}

  @Post()
  create(
    @Body({ schema: tokenRequestSchema }) request: TokenRequest,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<NewToken> {
    return this.tokens.create(request, principal.name);
  }

  @Get()
  async list(): Promise<{ items: TokenView[] }> {
    return { items: await this.tokens.list() };
  }

  @Get(':name')
  get(@Param('name') name: string): Promise<TokenView> {
    return this.tokens.get(name);
  }

  @Post(':name/rotate')
  @HttpCode(200)
  rotate(
    @Param('name') name: string,
    @Body({ schema: tokenRotationSchema.prefault({}) })
    rotation: z.output<typeof tokenRotationSchema>,
  ): Promise<NewToken> {
    return this.tokens.rotate(name, rotation.overlapMs);
  }

  @Delete(':name')
  @HttpCode(204)
  revoke(@Param('name') name: string): Promise<void> {
    return this.tokens.revoke(name);
  }
}
