import { allReduce, barrier, CollectiveError, type Transport } from '@skipring/collective';
import { PROTOCOL_VERSION } from '@skipring/protocol';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRing, type ConnectRingOptions } from './connect-ring.js';
import { RingListener } from './ring-listener.js';
import { connectAll, FENCE, listenAll, LOOPBACK, RING_TOKEN } from './testing/web-socket-group.js';

const options = { deadlineMs: 20_000 };
let listeners: RingListener[] = [];
let transports: Transport[] = [];

afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  await Promise.all(listeners.map((listener) => listener.close()));
  listeners = [];
  transports = [];
});

const listen = async (numListeners: number) => (listeners = await listenAll(numListeners));

function join(rank: number, changes: Partial<ConnectRingOptions> = {}): Promise<Transport> {
  return connectRing({
    listener: listeners[rank]!,
    fence: FENCE,
    rank,
    members: listeners.map(({ port }) => ({ host: LOOPBACK, port })),
    ringToken: RING_TOKEN,
    deadlineMs: 20_000,
    ...changes,
  }).then((transport) => {
    transports.push(transport);
    return transport;
  });
}

const codesOf = (outcomes: PromiseSettledResult<Transport>[]) =>
  outcomes.map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as CollectiveError).code : 'connected',
  );

/** Sums ranks 1 + 2 + ... over a ring. */
async function expectWorking(ring: readonly Transport[]): Promise<void> {
  const sums = await Promise.all(
    ring.map(async (transport) => {
      const vector = new Int32Array(100).fill(transport.rank + 1);
      await allReduce(transport, vector, options);
      return vector[99];
    }),
  );
  expect(new Set(sums)).toEqual(new Set([(ring.length * (ring.length + 1)) / 2]));
}

describe('connectRing', { timeout: 15_000 }, () => {
  it('waits for a rank that comes late', async () => {
    await listen(3);
    const early = [join(0), join(1)];
    await new Promise((resolve) => setTimeout(resolve, 150));
    await Promise.all([...early, join(2)]);
    await expectWorking(transports);
  });

  it('runs two generations and two jobs on the same listeners', async () => {
    await listen(3);
    const rings = [
      await connectAll(listeners),
      await connectAll(listeners, { fence: { ...FENCE, generation: 2 } }),
      await connectAll(listeners, { fence: { ...FENCE, jobId: 'job zwei / ü' } }),
    ];
    transports = rings.flat();
    await Promise.all(rings.map(expectWorking));
    rings[0]![1]!.abort(new CollectiveError('CLOSED', 'made up'));
    await Promise.all(rings.slice(1).map(expectWorking));
  });

  it('opens a generation again after it was closed', async () => {
    await listen(2);
    for (let trial = 0; trial < 3; trial++) {
      const ring = await connectAll(listeners);
      await expectWorking(ring);
      await Promise.all(ring.map((transport) => transport.close()));
    }
  });

  it('is a ring of its own with one member', async () => {
    await listen(1);
    const transport = await join(0);
    const vector = Float32Array.of(1, 2);
    await allReduce(transport, vector, options);
    await barrier(transport, options);
    expect([...vector]).toEqual([1, 2]);
  });

  it('refuses a wrong token', async () => {
    await listen(2);
    const outcomes = await Promise.allSettled([
      join(0, { deadlineMs: 2_000 }),
      join(1, { deadlineMs: 2_000, ringToken: `${RING_TOKEN}!` }),
    ]);
    expect(codesOf(outcomes)).toContain('UNAUTHORIZED');
    expect(codesOf(outcomes)).not.toContain('connected');
  });

  it('refuses an older generation or attempt than it has seen, here and over there', async () => {
    await listen(2);
    const newer = { ...FENCE, attempt: 2, generation: 3 };
    transports = await connectAll(listeners, { fence: newer });
    // Of these two, one has heard of the new generation, the other has not.
    const behind = await RingListener.listen({ host: LOOPBACK, port: 0 });
    const members = [listeners[0]!, behind].map(({ port }) => ({ host: LOOPBACK, port }));
    listeners.push(behind);
    for (const old of [{ attempt: 1, generation: 9 }, { generation: 2 }]) {
      const fence = { ...newer, ...old };
      const here = join(0, { fence, members });
      await expect(here).rejects.toMatchObject({ code: 'STALE_GENERATION' });
      const there = join(1, { fence, members, listener: behind });
      await expect(there).rejects.toMatchObject({ code: 'STALE_GENERATION', rank: 0 });
    }
    await expectWorking(transports.slice(0, 2));
  });

  it('tells a rank that its neighbour is someone else', async () => {
    await listen(2);
    const swapped = [...listeners].reverse().map(({ port }) => ({ host: LOOPBACK, port }));
    const outcomes = await Promise.allSettled([
      join(0, { members: swapped, deadlineMs: 2_000 }),
      join(1, { members: swapped, deadlineMs: 2_000 }),
    ]);
    expect(codesOf(outcomes)).toContain('PROTOCOL');
    expect(codesOf(outcomes)).not.toContain('connected');
  });

  it('refuses a second ring of one generation', async () => {
    await listen(2);
    transports = await connectAll(listeners);
    await expect(join(0)).rejects.toMatchObject({ code: 'PROTOCOL' });
    await expectWorking(transports);
  });

  it('gives up at its deadline and says whom it misses', async () => {
    await listen(3);
    const outcomes = await Promise.allSettled([
      join(0, { deadlineMs: 200 }),
      join(1, { deadlineMs: 200 }),
    ]);
    const errors = outcomes.map((o) => (o as PromiseRejectedResult).reason as CollectiveError);
    expect(errors.map(({ code }) => code)).toContain('DEADLINE');
    expect(errors.find(({ code }) => code === 'DEADLINE')).toMatchObject({ rank: 2 });
    await Promise.all([0, 1, 2].map((rank) => join(rank)));
    await expectWorking(transports);
  });

  it('can be called off', async () => {
    await listen(2);
    const controller = new AbortController();
    const joining = join(0, { signal: controller.signal });
    controller.abort();
    await expect(joining).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(join(0, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it.each([
    ['rank', { rank: 2 }],
    ['rank', { rank: -1 }],
    ['segmentBytes', { segmentBytes: 2 }],
    ['segmentBytes', { segmentBytes: 2 ** 30 }],
    ['exchangeLimitBytes', { exchangeLimitBytes: -1 }],
    ['exchangeLimitBytes', { exchangeLimitBytes: 0.5 }],
  ])('names a wrong %s', async (field, changes) => {
    await listen(2);
    const joining = join(0, changes);
    await expect(joining).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(joining).rejects.toThrow(`${field} is `);
  });
});

describe('RingListener', () => {
  const answerTo = (port: number, path: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ host: LOOPBACK, port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end();
    });
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };

  it('answers what is no dial', async () => {
    const [listener] = await listen(1);
    expect(await answerTo(listener!.port, '/ring', {})).toBe(426);
    expect(await answerTo(listener!.port, '/ring', upgrade)).toBe(400);
    const dialled = {
      ...upgrade,
      authorization: 'Bearer x',
      'x-skipring-protocol': String(PROTOCOL_VERSION),
      'x-skipring-job': 'job-1',
      'x-skipring-attempt': '1',
      'x-skipring-generation': '1',
      'x-skipring-from': '0',
      'x-skipring-to': '1',
    };
    expect(await answerTo(listener!.port, '/ring', dialled)).toBe(503);
    expect(await answerTo(listener!.port, '/elsewhere', dialled)).toBe(400);
    for (const [name, value] of [
      ['x-skipring-protocol', String(PROTOCOL_VERSION + 1)],
      ['x-skipring-job', '%'],
      ['x-skipring-attempt', '-1'],
      ['x-skipring-generation', '1e3'],
      ['x-skipring-to', ''],
    ] as const) {
      expect(await answerTo(listener!.port, '/ring', { ...dialled, [name]: value })).toBe(400);
    }
  });
});
