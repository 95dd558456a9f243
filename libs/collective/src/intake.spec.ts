import { describe, expect, it } from 'vitest';
import { CollectiveError } from './collective-error.js';
import { digest } from './digest.js';
import { Inbox } from './inbox.js';
import { Intake } from './intake.js';
import { bitsOf, randomVector, seededUint32 } from './testing/vectors.js';
import type { SegmentKey, Sink } from './transport.js';
import { bytesOf, type Vector } from './vector.js';
import { SharedMemory } from './wasm/shared-memory.js';
import { bfloat16Wire, plainWire, type Wire } from './wire.js';

const LENGTH = 150_001;
const RANGE = { begin: 0, end: LENGTH };
const BFLOAT16 = { mode: 'stochastic', seed: 4 } as const;

const wires: Record<string, (vector: Vector) => Wire> = {
  'as they are': (vector) => plainWire(vector, 'sum', null),
  'as bfloat16': (vector) => bfloat16Wire(vector as Float32Array, BFLOAT16, 'sum', null),
};

/** A vector of the same values each time, in a SharedMemory or not. */
function vectorIn(place: 'SharedMemory' | 'heap'): Vector {
  const values = randomVector('float32', LENGTH, 1);
  if (place === 'heap') return values;
  const { buffer, dataOffset } = SharedMemory.allocate(values.byteLength + 4);
  const vector = new Float32Array(buffer, dataOffset + 4, LENGTH);
  vector.set(values as Float32Array);
  return vector;
}

type Way = 'at once' | 'in pieces' | 'pulled';

/** Lets a payload come in, one way or another. */
function take(intake: Intake, payload: Uint8Array, source: Uint8Array, way: Way): void {
  if (way === 'pulled') {
    intake.pull((begin, target) => {
      target.set(source.subarray(begin, begin + target.byteLength));
    });
    return;
  }
  payload.set(source);
  const next = seededUint32(3);
  for (let at = 0; way === 'in pieces' && at < payload.byteLength; at += next() % 100_000) {
    // What has not arrived yet must not be looked at.
    intake.take(at);
  }
}

describe.each(Object.keys(wires))('elements that cross %s', (name) => {
  it.each(['SharedMemory', 'heap'] as const)(
    'come to the same however they come, and wherever they go then, in a %s',
    (place) => {
      const outcomes = (['reduce', 'replace'] as const).flatMap((sentTo) =>
        (['at once', 'in pieces', 'pulled'] as const).map((way) => {
          const vector = vectorIn(place);
          const wire = wires[name]!(vector);
          const sink = wire.sink({ range: RANGE, combine: 'reduce', segment: 5, sentTo });
          const source = bytesOf(randomVector('float32', LENGTH, 2)).slice(0, sink.byteLength);
          const payload = new Uint8Array(sink.byteLength);
          const intake = new Intake(sink, payload);
          take(intake, payload, source, way);
          const digests = intake.finish();
          expect(digests).toEqual({
            ofAddend: digest(source),
            ofTarget: digest(wire.payload(RANGE)),
          });
          wire.finish(RANGE);
          return [bitsOf(vector), digests];
        }),
      );
      for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    },
  );

  it.each(['at once', 'in pieces', 'pulled'] as const)('replace what was there, %s', (way) => {
    const [passing, last] = (['replace', null] as const).map((sentTo) => {
      const vector = vectorIn('SharedMemory');
      const wire = wires[name]!(vector);
      const sink = wire.sink({ range: RANGE, combine: 'replace', segment: 5, sentTo });
      const source = bytesOf(randomVector('float32', LENGTH, 2)).slice(0, sink.byteLength);
      const payload = sink instanceof Uint8Array ? sink : new Uint8Array(sink.byteLength);
      const intake = new Intake(sink, payload);
      take(intake, payload, source, way);
      expect(intake.finish().ofAddend).toBe(digest(source));
      if (sentTo !== null) wire.finish(RANGE);
      return bitsOf(vector);
    });
    expect(last).toEqual(passing);
  });
});

describe('a payload on its way', () => {
  const key: SegmentKey = { operation: 'allReduce', sequence: 0, segment: 0 };
  const inboxOf = () =>
    new Inbox({ maxHeldBytes: 1_000_000, onFull: () => undefined, onDrained: () => undefined });
  const payload = bytesOf(randomVector('int32', LENGTH, 6));

  it('is taken into account as it arrives, and checked at its end', async () => {
    const inbox = inboxOf();
    const sink = new Uint8Array(payload.byteLength);
    const received = inbox.post(key, sink);
    const place = inbox.place(key, payload.byteLength);
    for (const end of [70_000, 200_000]) {
      place.set(payload.subarray(0, end));
      inbox.arrived(key, end);
    }
    place.set(payload);
    inbox.deliver(key, place, digest(payload));
    await expect(received).resolves.toBe(digest(payload));
  });

  it('is refused when its beginning was damaged', () => {
    const inbox = inboxOf();
    inbox.post(key, new Uint8Array(payload.byteLength)).catch(() => undefined);
    const place = inbox.place(key, payload.byteLength);
    place.set(payload);
    place[7]! ^= 1;
    inbox.arrived(key, 300_000);
    expect(() => {
      inbox.deliver(key, place, digest(payload));
    }).toThrow(/checksum/);
  });

  it('is left alone when the collective has failed, or when nobody has asked for it', () => {
    const inbox = inboxOf();
    const added: number[] = [];
    const sink: Sink = {
      byteLength: payload.byteLength,
      place: () => null,
      add: (_part, begin, before) => {
        added.push(begin);
        return before;
      },
    };
    const early = inbox.place(key, payload.byteLength);
    inbox.post(key, sink).catch(() => undefined);
    inbox.arrived(key, early.byteLength);
    expect(added).toEqual([]);
    inbox.fail(new CollectiveError('CLOSED', 'made up'));
    inbox.arrived(key, early.byteLength);
    expect(added).toEqual([]);
  });
});
