import {
  auditPageSchema,
  newTokenSchema,
  principalViewSchema,
  tokenViewSchema,
  type AuditPage,
  type NewToken,
  type PrincipalView,
  type TokenRequestInput,
  type TokenView,
} from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

/** Tokens, and the audit log. */
export class AccessCalls extends Calls {
  /** Name, role and limits of the token that this client sends. */
  whoAmI(): Promise<PrincipalView> {
    return this.http.json(principalViewSchema, '/whoami');
  }

  /** Needs the role admin, as all of tokens and audit. The answer alone has the secret. */
  createToken(request: TokenRequestInput): Promise<NewToken> {
    return this.http.json(newTokenSchema, '/tokens', { method: 'POST', body: request });
  }

  async tokens(): Promise<TokenView[]> {
    return (await this.http.json(list(tokenViewSchema), '/tokens')).items;
  }

  token(name: string): Promise<TokenView> {
    return this.http.json(tokenViewSchema, `/tokens/${encodeURIComponent(name)}`);
  }

  /** @param overlapMs how long the old secret is taken beside the new one */
  rotateToken(name: string, overlapMs = 0): Promise<NewToken> {
    return this.http.json(newTokenSchema, `/tokens/${encodeURIComponent(name)}/rotate`, {
      method: 'POST',
      body: { overlapMs },
    });
  }

  async revokeToken(name: string): Promise<void> {
    await this.http.send(`/tokens/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }

  /** Who changed what, newest first; `actor`: of one token alone. */
  audit(query: { limit?: number; cursor?: string; actor?: string } = {}): Promise<AuditPage> {
    return this.http.json(auditPageSchema, '/audit', { query });
  }
}
