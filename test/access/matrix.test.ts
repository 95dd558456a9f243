import { newTokenSchema, roles, type Role } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator, type TestCoordinator } from '../support/coordinator.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { accessMatrix, type Audience } from './routes.js';

const API_TOKEN = 'the-token-of-the-configuration';
const JOIN_TOKEN = 'the-token-of-the-workers';

let redis: TestRedis;
let coordinator: TestCoordinator;
/** By who sends: a role, nobody, a worker, or one whose token is wrong in some way. */
const senders = new Map<string, string | null>([
  ['nobody', null],
  ['root', API_TOKEN],
  ['worker', JOIN_TOKEN],
  ['a guesser', 'the-token-of-the-configuratioN'],
  ['a forger', `skr_viewer_${'A'.repeat(43)}`],
]);

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, {
    apiToken: API_TOKEN,
    joinToken: JOIN_TOKEN,
    takesFaults: true,
  });
  for (const role of roles) senders.set(role, await createToken(role, role));
});
afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

async function createToken(name: string, role: Role, changes = {}): Promise<string> {
  const answer = await coordinator.send('/tokens', {
    json: { name, role, ...changes },
    headers: { authorization: `Bearer ${API_TOKEN}` },
  });
  return newTokenSchema.parse(await answer.json()).token;
}

async function statusOf(route: string, token: string | null): Promise<number> {
  const [method = '', path = ''] = route.split(' ');
  // Names of nothing: what is let through finds nothing, and does no harm.
  const filled = path.replace(/:\w+/g, 'none-such');
  const answer = await coordinator.send(`/${filled}`, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.status;
}

function expected(audience: Audience, sender: string): 'passes' | 401 | 403 {
  if (audience === 'everyone') return 'passes';
  if (audience === 'worker') return sender === 'worker' ? 'passes' : 401;
  if (sender === 'root') return 'passes';
  const rank = roles.indexOf(sender as Role);
  if (rank < 0) return 401;
  return rank >= roles.indexOf(audience) ? 'passes' : 403;
}

describe('the access matrix', () => {
  it('has every route that is served, and no other', () => {
    expect(Object.keys(accessMatrix).sort()).toEqual([...new Set(coordinator.routes)].sort());
  });

  it.each(Object.entries(accessMatrix))('%s is for %s', async (route, audience) => {
    for (const [sender, token] of senders) {
      const status = await statusOf(route, token);
      const verdict = expected(audience, sender);
      if (verdict === 'passes') expect([401, 403], `${sender}: ${status}`).not.toContain(status);
      else expect({ sender, status }).toEqual({ sender, status: verdict });
    }
  });

  it('asks on unknown routes too: nobody learns which there are', async () => {
    expect(await statusOf('GET /api/v1/secrets', null)).toBe(401);
    expect(await statusOf('DELETE /api/v1/jobs', null)).toBe(401);
    expect(await statusOf('GET /api/v1/internal/secrets', API_TOKEN)).toBe(401);
  });
});
