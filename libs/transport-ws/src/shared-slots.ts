import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** Files here lie in memory. */
const DIRECTORY = '/dev/shm';
export const NUM_SLOTS = 4;
/** Payloads above it do not go through slots. */
export const SLOT_BYTES = 1024 * 1024;
const FILE_BYTES = NUM_SLOTS * SLOT_BYTES;
const NONCE_BYTES = 16;

/** What the receiver says of its slots in its dial: where its open file is seen, and what it begins with. */
export interface SlotsOffer {
  readonly pid: number;
  readonly fd: number;
  /** Hexadecimal. */
  readonly nonce: string;
}

/**
 * A file in memory through which payloads go to a rank of the same machine, a slot each in turn: one
 * copy into memory that both processors' caches know well, and one out of it, where a socket allocates
 * pages for every payload and lets few bytes wait. The sender fills a slot and then announces it in a
 * frame; the receiver says when slots are free again. The file has no name, so nothing is left of it
 * when both are gone.
 */
export class SharedSlots {
  private isOpen = true;

  private constructor(
    private readonly fd: number,
    /** For the sender. */
    readonly offer: SlotsOffer,
  ) {}

  /** Slots of the receiver, which offers them; null where there are none. */
  static create(): SharedSlots | null {
    if (process.platform !== 'linux') return null;
    const name = `${DIRECTORY}/skipring-${randomBytes(16).toString('hex')}`;
    let fd: number | null = null;
    try {
      const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      fd = openSync(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      unlinkSync(name);
      // All of it is written, so that memory that is not to be had shows now.
      const bytes = Buffer.alloc(FILE_BYTES);
      const nonce = randomBytes(NONCE_BYTES);
      nonce.copy(bytes);
      if (writeSync(fd, bytes, 0, FILE_BYTES, 0) !== FILE_BYTES) throw new Error('no room');
      return new SharedSlots(fd, { pid: process.pid, fd, nonce: nonce.toString('hex') });
    } catch {
      if (fd !== null) closeSync(fd);
      return null;
    }
  }

  /** The slots that the receiver offers, for the sender; null if they are not to be seen from here. */
  static open(offer: SlotsOffer): SharedSlots | null {
    let fd: number | null = null;
    try {
      const { O_RDWR, O_NONBLOCK } = constants;
      fd = openSync(`/proc/${offer.pid}/fd/${offer.fd}`, O_RDWR | O_NONBLOCK);
      const stat = fstatSync(fd);
      const nonce = Buffer.alloc(NONCE_BYTES);
      // In another namespace of processes the number is that of another process.
      const isIt =
        stat.isFile() &&
        stat.size === FILE_BYTES &&
        readSync(fd, nonce, 0, NONCE_BYTES, 0) === NONCE_BYTES &&
        nonce.toString('hex') === offer.nonce;
      if (isIt) return new SharedSlots(fd, offer);
      closeSync(fd);
    } catch {
      if (fd !== null) closeSync(fd);
    }
    return null;
  }

  /** Fills slot `index`. */
  write(index: number, payload: Uint8Array): void {
    this.expectOpen();
    const numBytes = writeSync(this.fd, payload, 0, payload.byteLength, index * SLOT_BYTES);
    if (numBytes !== payload.byteLength) throw new Error(`a slot took ${numBytes} bytes`);
  }

  /** Fills `target` with what follows the first `offset` bytes of slot `index`. */
  read(index: number, offset: number, target: Uint8Array): void {
    this.expectOpen();
    const { byteLength } = target;
    const numBytes = readSync(this.fd, target, 0, byteLength, index * SLOT_BYTES + offset);
    if (numBytes !== byteLength) throw new Error(`a slot gave ${numBytes} bytes`);
  }

  close(): void {
    if (this.isOpen) closeSync(this.fd);
    this.isOpen = false;
  }

  /** The descriptor's number may be another file's by now. */
  private expectOpen(): void {
    if (!this.isOpen) throw new Error('the slots are closed');
  }
}
