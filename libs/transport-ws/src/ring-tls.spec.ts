import { connect } from 'node:net';
import { allReduce, type Transport } from '@skipring/collective';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRing } from './connect-ring.js';
import { RingListener } from './ring-listener.js';
import type { RingTls } from './ring-tls.js';
import { selfSigned } from './testing/self-signed.js';
import { FENCE, LOOPBACK, RING_TOKEN } from './testing/web-socket-group.js';

let listeners: RingListener[] = [];
afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  listeners = [];
});

/** What becomes of a ring in which each rank has these certificates, or null: plain sockets. */
async function ringOf(
  certificates: readonly (RingTls | null)[],
  { deadlineMs = 10_000, ringTokens = [RING_TOKEN, RING_TOKEN] } = {},
): Promise<PromiseSettledResult<Transport>[]> {
  listeners = await Promise.all(
    certificates.map((tls) => RingListener.listen({ host: LOOPBACK, port: 0, tls })),
  );
  const members = listeners.map(({ port }) => ({ host: LOOPBACK, port }));
  return Promise.allSettled(
    listeners.map((listener, rank) => {
      const ringToken = ringTokens[rank]!;
      return connectRing({ listener, fence: FENCE, rank, members, ringToken, deadlineMs });
    }),
  );
}

const problems = (outcomes: PromiseSettledResult<Transport>[]) =>
  outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'connected'));

describe('a ring over TLS', { timeout: 20_000 }, () => {
  const mine = selfSigned();

  it('works, each rank with a certificate of its own', async () => {
    const other = selfSigned();
    const ca = mine.cert + other.cert;
    const outcomes = await ringOf([
      { ...mine, ca },
      { ...other, ca },
    ]);
    const ring = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    const vector = () => new Float32Array(300_000).fill(1.5);
    const sums = await Promise.all(
      ring.map(async (transport) => {
        const own = vector();
        await allReduce(transport, own, { deadlineMs: 10_000 });
        return own;
      }),
    );
    for (const sum of sums) expect(sum.every((value) => value === 3)).toBe(true);
    await Promise.all(ring.map((transport) => transport.close()));
  });

  it('lets no byte through that is not encrypted', async () => {
    listeners = [await RingListener.listen({ host: LOOPBACK, port: 0, tls: mine })];
    const socket = connect(listeners[0]!.port, LOOPBACK);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => (text += data.toString('latin1')));
      socket.on('close', () => {
        resolve(text);
      });
      socket.on('error', () => undefined);
      socket.write('GET /ring HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    expect(answer).not.toContain('HTTP/1.1');
  });

  it('refuses a certificate of another authority, and one for another host, with the reason', async () => {
    const stranger = selfSigned();
    const [atStranger] = problems(await ringOf([mine, stranger], { deadlineMs: 1_500 }));
    expect(atStranger).toMatch(/self-signed certificate|unable to verify/);
    await Promise.all(listeners.map((listener) => listener.close()));
    const elsewhere = selfSigned('127.0.0.9');
    const ca = mine.cert + elsewhere.cert;
    const certificates = [
      { ...mine, ca },
      { ...elsewhere, ca },
    ];
    const [atElsewhere] = problems(await ringOf(certificates, { deadlineMs: 1_500 }));
    expect(atElsewhere).toContain("does not match certificate's altnames");
  });

  it('does not fall back to plain sockets when a rank has none', async () => {
    const outcomes = problems(await ringOf([mine, null], { deadlineMs: 1_500 }));
    expect(outcomes.every((outcome) => outcome !== 'connected')).toBe(true);
  });

  it('still asks for the ring token', async () => {
    const ringTokens = [RING_TOKEN, 'another token of a test'];
    const outcomes = problems(await ringOf([mine, mine], { deadlineMs: 3_000, ringTokens }));
    expect(outcomes.join()).toContain('UNAUTHORIZED');
  });
});
