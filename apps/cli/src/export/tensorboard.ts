import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { History } from './history.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { systemReason } from '../system-reason.js';
import { maskedCrc32c } from './crc32c.js';
import { pointsOf, type Point } from './history-points.js';

/** Wire types of protocol buffers. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Fields of `tensorflow.Event`, `Summary` and `Summary.Value` (`event.proto`, `summary.proto`). */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;

/**
 * Writes a job's course as a TensorBoard event file, `DIR/JOB/events.out.tfevents.*`; the same job
 * gives the same file.
 * @returns the file's path
 */
export async function writeTensorBoard(history: History, directory: string): Promise<string> {
  const { id, startedAt, createdAt } = history.job;
  const startMs = Date.parse(startedAt ?? createdAt);
  const folder = join(directory, id);
  const path = join(folder, `events.out.tfevents.${Math.floor(startMs / 1_000)}.${id}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(`${path}.partial`, eventFile(pointsOf(history), startMs));
    await rename(`${path}.partial`, path);
  } catch (error) {
    throw new CommandError(EXIT.usage, `--out ${directory}: ${systemReason(error)}`);
  }
  return path;
}

/** The bytes of an event file: a TFRecord with the version, then one for each point. */
export function eventFile(points: readonly Point[], startMs: number): Uint8Array {
  const version = Buffer.concat([
    fixed64(EVENT.wallTime, startMs / 1_000),
    bytes(EVENT.fileVersion, Buffer.from('brain.Event:2')),
  ]);
  return Buffer.concat([version, ...points.map(eventOf)].map(record));
}

function eventOf({ step, timeMs, values }: Point): Buffer {
  const summary = Object.entries(values).map(([tag, value]) =>
    bytes(
      SUMMARY_VALUE,
      Buffer.concat([bytes(VALUE.tag, Buffer.from(tag)), fixed32(VALUE.simpleValue, value)]),
    ),
  );
  return Buffer.concat([
    fixed64(EVENT.wallTime, timeMs / 1_000),
    key(EVENT.step, VARINT),
    varint(step),
    bytes(EVENT.summary, Buffer.concat(summary)),
  ]);
}

/** A TFRecord: length (uint64), its checksum, the data, its checksum; little endian. */
function record(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Uint8Array): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(maskedCrc32c(data));
  return buffer;
}

function key(field: number, wireType: number): Buffer {
  return varint((field << 3) | wireType);
}

function varint(value: number): Buffer {
  const parts: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) parts.push((rest % 0x80) | 0x80);
  return Buffer.from([...parts, rest]);
}

function bytes(field: number, data: Uint8Array): Buffer {
  return Buffer.concat([key(field, BYTES), varint(data.length), data]);
}

function fixed64(field: number, value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), buffer]);
}

function fixed32(field: number, value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), buffer]);
}
