import { CollectiveError, type PayloadSource } from '@skipring/collective';
import { NUM_SLOTS, SLOT_BYTES, type SharedSlots } from './shared-slots.js';

/** Smaller payloads take less time in the stream, behind their header: measured. */
const MIN_PAYLOAD_BYTES = 256 * 1024;
/** Slots that are read before the sender is told. */
const NUM_TOLD_AT_ONCE = NUM_SLOTS / 2;

/** The sender's end of shared slots: which are free. */
export class SlotSender {
  private numFilled = 0;
  private numTaken = 0;
  private isClosed = false;
  private wake: () => void = () => undefined;

  constructor(private readonly slots: SharedSlots) {}

  takes({ byteLength }: Uint8Array): boolean {
    return byteLength >= MIN_PAYLOAD_BYTES && byteLength <= SLOT_BYTES;
  }

  get hasRoom(): boolean {
    return this.numFilled - this.numTaken < NUM_SLOTS;
  }

  /** Resolves when a slot is free, and at `close`. One caller at a time. */
  async room(): Promise<void> {
    if (this.hasRoom || this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  /** Puts it into the next slot, which is free. */
  fill(payload: Uint8Array): void {
    this.slots.write(this.numFilled % NUM_SLOTS, payload);
    this.numFilled++;
  }

  /**
   * The receiver says how many it has read so far, modulo 2^32.
   * @throws CollectiveError PROTOCOL if so many were not filled.
   */
  taken(total: number): void {
    const numNew = (total - this.numTaken) >>> 0;
    if (numNew > this.numFilled - this.numTaken) {
      throw new CollectiveError(
        'PROTOCOL',
        `${total} slots are said to be read, expected at most ${this.numFilled}`,
      );
    }
    this.numTaken += numNew;
    this.wake();
  }

  close(): void {
    this.isClosed = true;
    this.slots.close();
    this.wake();
  }
}

/** The receiver's end: which slot comes next. */
export class SlotReceiver {
  private numRead = 0;

  constructor(
    private readonly slots: SharedSlots,
    /** Tells the sender how many were read so far. */
    private readonly tell: (total: number) => void,
  ) {}

  /** Lends the next slot to `take`, which reads of it what it wants; then it is the sender's again. */
  take(take: (source: PayloadSource) => void): void {
    const index = this.numRead % NUM_SLOTS;
    take((begin, target) => {
      this.slots.read(index, begin, target);
    });
    this.numRead++;
    if (this.numRead % NUM_TOLD_AT_ONCE === 0) this.tell(this.numRead);
  }

  close(): void {
    this.slots.close();
  }
}
