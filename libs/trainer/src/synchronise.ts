import { positionSchema } from '@skipring/protocol';
import { z } from 'zod';
import { TrainerError } from './errors.js';
import { gather } from './gather.js';
import type { Collective } from './ports.js';
import { hashState } from './state-hash.js';
import type { Snapshot, TrainingState } from './state.js';
import { flatten, hashShapes, unflatten } from './state-wire.js';

export interface SynchroniseOptions {
  /** Becomes equal to the source's. */
  readonly state: TrainingState;
  readonly collective: Collective;
  /** A rank that holds the state to go on from. */
  readonly sourceRank: number;
  /** SHA-256 of the state, when that is known already. */
  readonly stateHash?: string;
  /** For each operation; state crosses in chunks, each an operation of its own. */
  readonly deadlineMs: number;
}

const scoreSchema = z.strictObject({ step: z.int().min(0), accuracy: z.number() }).nullable();
const headerSchema = z.strictObject({
  position: positionSchema,
  exponents: z.array(z.int()),
  scores: z.strictObject({ last: scoreSchema, best: scoreSchema }),
  stateHash: z.string(),
});
type Header = z.output<typeof headerSchema>;

/** Limit of a header: an exponent of each slot, in at most 5 characters, and little else. */
const MAX_HEADER_BYTES = 1 << 20;
const CHUNK_BYTES = 1 << 24;

/**
 * Makes the state of all ranks equal to the source's at the start of a generation. The tensors cross
 * the ring only when some rank's state differs: one that is behind, new, or has diverged. What is
 * received is hashed before it replaces anything.
 *
 * @returns whether this rank took over the source's tensors
 * @throws TrainerError STATE_MISMATCH when the source's state is of another model or was damaged on
 *   its way, with this rank's state unchanged; or the collective's error
 */
export async function synchroniseState(options: SynchroniseOptions): Promise<boolean> {
  const { state, collective, deadlineMs } = options;
  const ownHash = options.stateHash ?? state.hash();
  const header = await shareHeader(options, ownHash);
  const differs = header.stateHash !== ownHash;
  const answers = await gather(collective, [differs ? 1 : 0], deadlineMs);

  if (answers.some(([answer]) => answer === 1)) {
    const { tensors } = state.snapshot();
    await requireSameShapes(options, hashShapes(tensors));
    const flat = flatten(tensors);
    await broadcastInChunks(options, flat);
    if (differs) state.restore(toSnapshot(header, unflatten(flat, tensors)));
  }
  state.scores = header.scores;
  return differs;
}

/** The source's header, on every rank: first its length, then its text. */
async function shareHeader(
  { state, collective, sourceRank, deadlineMs }: SynchroniseOptions,
  stateHash: string,
): Promise<Header> {
  const { position, scores, exponents } = state;
  const header = { position, exponents: [...exponents], scores, stateHash };
  const text = Buffer.from(JSON.stringify(header));
  const length = new Int32Array(new SharedArrayBuffer(4)).fill(text.length);
  await collective.broadcast(new Uint8Array(length.buffer), sourceRank, deadlineMs);
  const [numBytes = 0] = length;
  if (numBytes < 2 || numBytes > MAX_HEADER_BYTES) {
    throw mismatch(`a header of ${numBytes} bytes; expected 2 to ${MAX_HEADER_BYTES}`);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(numBytes));
  if (collective.rank === sourceRank) shared.set(text);
  await collective.broadcast(shared, sourceRank, deadlineMs);

  const received = headerSchema.parse(JSON.parse(Buffer.from(shared).toString('utf8')));
  if (received.exponents.length !== exponents.length) {
    throw mismatch(`${received.exponents.length} exponents; expected ${exponents.length}`);
  }
  return received;
}

/** Before any tensor crosses: on every rank they have the names and shapes of the source's. */
async function requireSameShapes(
  { collective, sourceRank, deadlineMs }: SynchroniseOptions,
  shapesHash: string,
): Promise<void> {
  const shared = new Uint8Array(new SharedArrayBuffer(shapesHash.length));
  shared.set(Buffer.from(shapesHash));
  await collective.broadcast(shared, sourceRank, deadlineMs);
  if (Buffer.from(shared).toString() !== shapesHash) {
    throw mismatch("tensors of other names or shapes than this rank's");
  }
}

async function broadcastInChunks(
  { collective, sourceRank, deadlineMs }: SynchroniseOptions,
  flat: Uint8Array,
): Promise<void> {
  for (let offset = 0; offset < flat.length; offset += CHUNK_BYTES) {
    const chunk = flat.subarray(offset, offset + CHUNK_BYTES);
    await collective.broadcast(chunk, sourceRank, deadlineMs);
  }
}

function toSnapshot(
  { position, scores, ...header }: Header,
  tensors: Snapshot['tensors'],
): Snapshot {
  const exponents = Int32Array.from(header.exponents);
  const hash = hashState(position, exponents, tensors);
  if (hash !== header.stateHash) {
    throw mismatch(`state with SHA-256 ${hash}; expected ${header.stateHash}`);
  }
  return { position, scores, exponents, tensors };
}

function mismatch(what: string): TrainerError {
  return new TrainerError('STATE_MISMATCH', `the source rank sent ${what}`);
}
