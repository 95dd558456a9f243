import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import type { AuditPage, PrincipalView } from '@skipring/protocol';
import type { AuditStore } from '@skipring/redis';
import { z } from 'zod';
import type { HttpRequest } from '../http/messages.js';
import { AUDIT } from '../tokens.js';
import { numberParameter } from '../http/number-parameter.js';
import { Access } from './access.guard.js';
import { ANONYMOUS } from './principal.js';

export const auditQuerySchema = z.strictObject({
  limit: numberParameter(z.int().min(1).max(1_000)).default(100),
  cursor: z
    .string()
    .regex(/^(?!0+-0+$)\d{1,16}-\d{1,16}$/, 'expected the nextCursor of a page')
    .optional(),
  actor: z.string().min(1).max(63).optional().describe('name of a token, or root'),
});

/** Who one is, and who did what. */
@Controller()
export class AuditController {
  constructor(@Inject(AUDIT) private readonly audit: AuditStore) {}

  @Get('whoami')
  @Access('viewer')
  whoAmI(@Req() { principal = ANONYMOUS }: HttpRequest): PrincipalView {
    return principal;
  }

  @Get('audit')
  @Access('admin')
  list(
    @Query({ schema: auditQuerySchema }) query: z.output<typeof auditQuerySchema>,
  ): Promise<AuditPage> {
    return this.audit.list(query);
  }
}
