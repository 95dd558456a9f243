import { describe, expect, it } from 'vitest';
import { allReduce } from '../all-reduce.js';
import { barrier } from '../barrier.js';
import { broadcast } from '../broadcast.js';
import { CollectiveError } from '../collective-error.js';
import type { Transport } from '../transport.js';
import type { MakeGroup, TransportGroup } from '../transport-group.js';

/** Longer than a test may take: whoever is freed by it has waited too long. */
const PATIENT = { deadlineMs: 120_000 };
const TEST_TIMEOUT_MS = 10_000;
const worldSizes = [2, 3, 5];

export function failureConformance(makeGroup: MakeGroup): void {
  async function withGroup(
    worldSize: number,
    body: (group: TransportGroup) => Promise<void>,
    maxHeldBytes = 10_000_000,
  ): Promise<void> {
    const group = await makeGroup(worldSize, { segmentBytes: 1_024, maxHeldBytes });
    try {
      await body(group);
    } finally {
      await group.close();
    }
  }

  /** The errors of `body` run as every rank; fails if a rank has none. */
  function errorsOf(
    group: TransportGroup,
    body: (transport: Transport) => Promise<void>,
  ): Promise<CollectiveError[]> {
    return Promise.all(
      group.transports.map(async (transport) => {
        const error = await body(transport).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error, `error of rank ${transport.rank}`).toBeInstanceOf(CollectiveError);
        expect(transport.failed).toBe(error);
        return error as CollectiveError;
      }),
    );
  }

  const codesOf = (errors: readonly CollectiveError[]) => errors.map(({ code }) => code);
  const bigSum = (transport: Transport, deadlineMs = PATIENT.deadlineMs) =>
    allReduce(transport, new Float32Array(300_000), { deadlineMs });
  const forEver = (transport: Transport) =>
    new Promise<never>((_, reject) => transport.onFailure(reject));

  describe.each(worldSizes)('failures with %i ranks', { timeout: TEST_TIMEOUT_MS }, (worldSize) => {
    it('a rank that never calls runs the others into the deadline, and is told', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, (transport) =>
          transport.rank === 0 ? forEver(transport) : bigSum(transport, 100),
        );
        const codes = codesOf(errors);
        expect(codes).toContain('DEADLINE');
        expect(codes.every((code) => code === 'DEADLINE' || code === 'ABORTED')).toBe(true);
        for (const error of errors.filter(({ code }) => code === 'ABORTED')) {
          expect(error.originCode).toBe('DEADLINE');
        }
      }));

    it('an abort by one rank reaches all, with its cause', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, async (transport) => {
          if (transport.rank === 1) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            transport.abort(new CollectiveError('CHECKSUM', 'made up', { rank: 1 }));
          }
          await bigSum(transport);
        });
        expect(errors[1]?.code).toBe('CHECKSUM');
        for (const error of errors.filter((_, rank) => rank !== 1)) {
          expect(error).toMatchObject({ code: 'ABORTED', originCode: 'CHECKSUM', rank: 1 });
        }
      }));

    it('the death of a rank in a collective fails all ranks', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, async (transport) => {
          if (transport.rank === 0) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            group.crash(0);
            await forEver(transport);
          }
          await bigSum(transport);
        });
        for (const error of errors) {
          expect(['PEER_CLOSED', 'ABORTED']).toContain(error.code);
        }
        expect(codesOf(errors.slice(1))).toContain('PEER_CLOSED');
      }));

    it('the death of a rank reaches one that has stopped reading', () =>
      withGroup(
        worldSize,
        async (group) => {
          await errorsOf(group, async (transport) => {
            if (transport.rank === 0) {
              // Long enough for rank 1 to be full.
              setTimeout(() => {
                group.crash(0);
              }, 50);
            }
            await (transport.rank === 1 ? forEver(transport) : bigSum(transport));
          });
        },
        10_000,
      ));

    it('the death of a rank between collectives is known before the next', () =>
      withGroup(worldSize, async (group) => {
        await Promise.all(group.transports.map((transport) => barrier(transport, PATIENT)));
        group.crash(worldSize - 1);
        await errorsOf(group, forEver);
        const errors = await errorsOf(group, (transport) => barrier(transport, PATIENT));
        expect(codesOf(errors)).not.toContain('DEADLINE');
      }));

    it('a rank that left is missed by the next collective', () =>
      withGroup(worldSize, async (group) => {
        await Promise.all(group.transports.map((transport) => barrier(transport, PATIENT)));
        await group.transports[0]!.close();
        const errors = await errorsOf(group, bigSum);
        expect(errors[0]?.code).toBe('CLOSED');
        expect(codesOf(errors.slice(1))).toContain('PEER_CLOSED');
        expect(codesOf(errors.slice(1))).not.toContain('DEADLINE');
      }));

    it('closing in the middle of a collective fails all ranks', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, async (transport) => {
          await Promise.all([
            bigSum(transport),
            transport.rank === 1 ? transport.close() : undefined,
          ]);
        });
        expect(errors[1]?.code).toBe('CLOSED');
        expect(codesOf(errors)).not.toContain('DEADLINE');
      }));

    it('ranks that call different collectives are told so', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, (transport) =>
          transport.rank === 0 ? barrier(transport, PATIENT) : bigSum(transport),
        );
        expect(codesOf(errors)).toContain('PROTOCOL');
        expect(codesOf(errors)).not.toContain('DEADLINE');
      }));

    it('ranks with vectors of different length are told so', () =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, (transport) =>
          allReduce(transport, new Int32Array(10_000 + 8 * transport.rank), PATIENT),
        );
        expect(codesOf(errors)).toContain('PROTOCOL');
        expect(codesOf(errors)).not.toContain('DEADLINE');
      }));

    it.each([
      ['root', (t: Transport) => broadcast(t, new Uint8Array(8), t.worldSize, PATIENT)],
      ['deadlineMs', (t: Transport) => barrier(t, { deadlineMs: 0 })],
      [
        'segmentBytes',
        (t: Transport) => allReduce(t, new Int32Array(8), { ...PATIENT, segmentBytes: 0.5 }),
      ],
    ])('a wrong %s on one rank is named, and frees the others', (field, call) =>
      withGroup(worldSize, async (group) => {
        const errors = await errorsOf(group, (transport) =>
          transport.rank === 0 ? call(transport) : bigSum(transport),
        );
        expect(errors[0]?.code).toBe('INVALID_ARGUMENT');
        expect(errors[0]?.message).toMatch(`${field} is `);
        for (const error of errors.slice(1)) expect(error.originCode).toBe('INVALID_ARGUMENT');
      }),
    );

    it('tells each listener of a failure once', () =>
      withGroup(worldSize, async (group) => {
        const heard: string[] = [];
        const [transport] = group.transports;
        transport!.onFailure((error) => heard.push(`first ${error.code}`));
        transport!.onFailure(() => heard.push('gone'))();
        transport!.abort(new CollectiveError('CHECKSUM', 'made up'));
        transport!.abort(new CollectiveError('PROTOCOL', 'made up'));
        transport!.onFailure((error) => heard.push(`late ${error.code}`));
        await errorsOf(group, forEver);
        expect(heard).toEqual(['first CHECKSUM', 'late CHECKSUM']);
      }));
  });
}
