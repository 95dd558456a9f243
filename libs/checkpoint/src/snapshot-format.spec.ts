import { describe, expect, it } from 'vitest';
import { decodeSnapshot, encodeSnapshot, modelSha256 } from './snapshot-format.js';
import { sampleSnapshot } from './testing/sample-snapshot.js';

describe('snapshots', () => {
  it('come back as they were', () => {
    const snapshot = sampleSnapshot(7);
    expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
  });

  it('have a model hash that the optimizer has no part in', () => {
    const { tensors } = sampleSnapshot(7);
    const other = new Map(tensors);
    other.delete('optimizer/weights');
    expect(modelSha256(other)).toBe(modelSha256(tensors));
    tensors.get('weights')!.values[0]! += 1;
    expect(modelSha256(other)).not.toBe(modelSha256(sampleSnapshot(7).tensors));
  });

  it('are refused when any byte of a tensor, or of the prefix, is changed', () => {
    const bytes = encodeSnapshot(sampleSnapshot(7));
    const manifestEnd = 12 + Buffer.from(bytes).readUInt32LE(8);
    const places = [...bytes.keys()].filter((at) => at < 12 || at >= manifestEnd);
    expect(places.length).toBeGreaterThan(200);
    for (const at of places) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      expect(() => decodeSnapshot(changed)).toThrow();
    }
  });

  it('are refused with unknown or missing fields, naming them', () => {
    const bytes = Buffer.from(encodeSnapshot(sampleSnapshot(7)));
    const renamed = Buffer.from(bytes.toString('latin1').replace('"cursor"', '"curser"'), 'latin1');
    expect(() => decodeSnapshot(renamed)).toThrow('cursor');
    const version = Buffer.from(bytes.toString('latin1').replace('ion":1', 'ion":9'), 'latin1');
    expect(() => decodeSnapshot(version)).toThrow('formatVersion');
  });

  it('are refused when optimizer slots lie among the parameters', () => {
    const bytes = Buffer.from(encodeSnapshot(sampleSnapshot(7))).toString('latin1');
    const moved = bytes.replace('optimizer/weights', 'optimixer/weights');
    expect(() => decodeSnapshot(Buffer.from(moved, 'latin1'))).toThrow(
      'optimizer.safetensors holds optimixer/weights',
    );
  });

  it('are refused when cut at any byte, or longer', () => {
    const bytes = encodeSnapshot(sampleSnapshot(7));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSnapshot(bytes.subarray(0, length))).toThrow();
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
    expect(() => decodeSnapshot(longer)).toThrow(`${bytes.length + 1} bytes; expected`);
  });
});
