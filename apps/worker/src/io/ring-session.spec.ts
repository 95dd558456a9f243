import type { RingSettings } from '@skipring/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { RingSession } from './ring-session.js';

const HOST = '127.0.0.1';
const NUM_RANKS = 3;
const LENGTH = 10_000;

let sessions: RingSession[] = [];
afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  sessions = [];
});

/** Bytes that each rank sends to sum up a vector of 40 kB, which is right. */
async function bytesOfSum(settings: RingSettings): Promise<number[]> {
  sessions = await Promise.all(
    Array.from({ length: NUM_RANKS }, () =>
      RingSession.listen(HOST, 0, null, {
        localSockets: true,
        sharedMemory: true,
        faults: null,
        silence: () => null,
        settings: () => settings,
        onBroken: () => undefined,
        onLeft: () => undefined,
      }),
    ),
  );
  const members = sessions.map(({ port, localName }, rank) => ({
    workerId: `worker-${rank}`,
    host: HOST,
    port,
    ...(localName !== null && { localName }),
    lanes: [rank],
  }));
  return Promise.all(
    sessions.map(async (session, rank) => {
      await session.connect({
        kind: 'connectRing',
        fence: { jobId: 'job', attempt: 1, generation: 1 },
        rank,
        members,
        ringToken: 'a token of sixteen or more characters',
        deadlineMs: 30_000,
      });
      const vector = new Int32Array(new SharedArrayBuffer(4 * LENGTH)).fill(rank + 1);
      await session.run({
        operation: 'allReduce',
        element: 'int32',
        buffer: vector.buffer,
        byteOffset: 0,
        length: LENGTH,
        root: 0,
        isBfloat16: false,
        deadlineMs: 30_000,
      });
      expect(vector.every((value) => value === 6)).toBe(true);
      return session.traffic.bytesSent;
    }),
  );
}

describe('RingSession', () => {
  it('exchanges vectors whole up to the size that the coordinator has told', async () => {
    // A ring sends 2 (n - 1) / n of the vector, an exchange n - 1 times all of it.
    for (const bytes of await bytesOfSum({})) expect(bytes).toBeLessThan(60_000);
    await Promise.all(sessions.map((session) => session.close()));
    for (const bytes of await bytesOfSum({ exchangeLimitBytes: 4 * LENGTH })) {
      expect(bytes).toBeGreaterThanOrEqual(80_000);
    }
  });

  it('takes the size of segments too', async () => {
    const [cut = 0] = await bytesOfSum({ exchangeLimitBytes: 65_536, segmentBytes: 16_384 });
    // Two steps of three segments, each with a header of 40 bytes.
    expect(cut).toBe(2 * 4 * LENGTH + 2 * 3 * 40);
  });
});
