import { randomBytes } from 'node:crypto';
import {
  tokenViewSchema,
  type NewToken,
  type TokenRequest,
  type TokenView,
} from '@skipring/protocol';
import type { TokenRecord, TokenStore } from '@skipring/redis';
import { HttpProblem } from '../http/problem.js';
import { isSameSecret, sha256 } from './bearer.js';
import type { Principal } from './principal.js';

const SECRET_BYTES = 32;
/** `skr_NAME_SECRET`: the start is for people, and for programs that look for leaked secrets. */
const TOKEN = /^skr_([a-z0-9-]{1,63})_([A-Za-z0-9_-]{43})$/;
/** A token read from the store is known for this long; the only one that serves changes them. */
const CACHE_MS = 5_000;
const MAX_CACHED = 10_000;

/** Makes tokens and recognises their holders. Secrets are told once and stored as hashes. */
export class TokensService {
  private readonly cache = new Map<string, { record: TokenRecord | null; untilMs: number }>();

  constructor(private readonly store: TokenStore) {}

  /** Throws HttpProblem TOKEN_EXISTS. */
  async create(request: TokenRequest, createdBy: string): Promise<NewToken> {
    const secret = newSecret();
    const { name, role, limits, expiresInMs } = request;
    const expiresAt = expiresInMs === null ? null : timeIn(expiresInMs);
    const record: TokenRecord = {
      ...{ name, role, limits, createdBy, expiresAt },
      createdAt: timeIn(0),
      rotatedAt: null,
      secretSha256: sha256(secret),
      previous: null,
    };
    if (!(await this.store.create(name, record))) {
      throw new HttpProblem('TOKEN_EXISTS', `there is a token ${name} already`);
    }
    this.cache.delete(name);
    return { ...viewOf(record), token: textOf(name, secret) };
  }

  async list(): Promise<TokenView[]> {
    return (await this.store.list()).map(viewOf);
  }

  /** Throws HttpProblem TOKEN_UNKNOWN. */
  async get(name: string): Promise<TokenView> {
    return viewOf(await this.record(name));
  }

  /**
   * Gives a token a new secret; the old one is taken for `overlapMs` more. An expiry moves on by as
   * long as it was given at first.
   * @throws HttpProblem TOKEN_UNKNOWN
   */
  async rotate(name: string, overlapMs: number): Promise<NewToken> {
    const before = await this.record(name);
    const secret = newSecret();
    const { createdAt, rotatedAt, expiresAt, secretSha256 } = before;
    const lifetimeMs =
      expiresAt === null ? null : Date.parse(expiresAt) - Date.parse(rotatedAt ?? createdAt);
    const record: TokenRecord = {
      ...before,
      rotatedAt: timeIn(0),
      expiresAt: lifetimeMs === null ? null : timeIn(lifetimeMs),
      secretSha256: sha256(secret),
      previous: overlapMs === 0 ? null : { secretSha256, until: timeIn(overlapMs) },
    };
    if (!(await this.store.replace(name, record))) throw unknownToken(name);
    this.cache.delete(name);
    return { ...viewOf(record), token: textOf(name, secret) };
  }

  /** From now on it is refused. Throws HttpProblem TOKEN_UNKNOWN. */
  async revoke(name: string): Promise<void> {
    const isGone = isTokenName(name) && (await this.store.remove(name));
    this.cache.delete(name);
    if (!isGone) throw unknownToken(name);
  }

  /** The holder of a token that is valid now; else null. */
  async recognise(token: string): Promise<Principal | null> {
    const [, name, secret] = TOKEN.exec(token) ?? [];
    if (name === undefined || secret === undefined) return null;
    const record = await this.cached(name);
    if (record === null || !isSecretOf(record, secret)) return null;
    const { role, limits, expiresAt } = record;
    return isPast(expiresAt) ? null : { name, role, limits, expiresAt };
  }

  private async record(name: string): Promise<TokenRecord> {
    const record = isTokenName(name) ? await this.store.get(name) : null;
    if (record === null) throw unknownToken(name);
    return record;
  }

  private async cached(name: string): Promise<TokenRecord | null> {
    const known = this.cache.get(name);
    if (known !== undefined && known.untilMs > performance.now()) return known.record;
    const record = await this.store.get(name);
    // A guesser of names must not fill the memory.
    if (this.cache.size >= MAX_CACHED) this.cache.clear();
    this.cache.set(name, { record, untilMs: performance.now() + CACHE_MS });
    return record;
  }
}

/** Others must not become part of a key in the store. */
function isTokenName(name: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(name);
}

function isSecretOf({ secretSha256, previous }: TokenRecord, secret: string): boolean {
  if (isSameSecret(secret, secretSha256)) return true;
  if (previous === null || isPast(previous.until)) return false;
  return isSameSecret(secret, previous.secretSha256);
}

function isPast(time: string | null): boolean {
  return time !== null && Date.parse(time) <= Date.now();
}

function timeIn(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function textOf(name: string, secret: string): string {
  return `skr_${name}_${secret}`;
}

/** Takes only what is listed: hashes never leave. */
function viewOf(record: TokenRecord): TokenView {
  return tokenViewSchema.strip().parse(record);
}

function unknownToken(name: string): HttpProblem {
  return new HttpProblem('TOKEN_UNKNOWN', `no token ${name.slice(0, 100)}`);
}
