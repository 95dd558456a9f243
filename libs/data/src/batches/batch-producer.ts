import { BatchMaker } from '../samples/lane-batch.js';
import { SampleSource } from '../samples/sample-source.js';
import { Sampler } from '../sampling/sampler.js';
import { laneWalk, type LaneTurn } from './lane-walk.js';
import type { FromThread, ThreadData, ToThread } from './thread-messages.js';

/** Sends a message, moving the memory named in `transfer`. */
export type Send = (message: FromThread, transfer: readonly ArrayBuffer[]) => void;

/**
 * Makes lane batches ahead of need, on the batch thread: at most `depth` that are not yet taken. A
 * seek starts over; between batches the event loop runs, so a seek waits for one batch at most.
 */
export class BatchProducer {
  private readonly sampler: Sampler;
  private readonly maker: BatchMaker;
  private walk: Generator<LaneTurn, never> | undefined;
  private seek = 0;
  private outstanding = 0;
  private scheduled = false;

  constructor(
    private readonly data: Omit<ThreadData, 'port'>,
    private readonly send: Send,
  ) {
    const { records, statistics, spec } = data;
    const { seed, lanes } = spec;
    this.sampler = new Sampler({ seed, lanes, numSamples: records.samples });
    this.maker = new BatchMaker(new SampleSource(records), statistics);
  }

  receive(message: ToThread): void {
    if (message.kind === 'seek') {
      this.seek = message.seek;
      this.outstanding = 0;
      this.walk =
        message.lanes.length === 0
          ? undefined
          : laneWalk(message.start, message.lanes, this.sampler.stepsPerEpoch);
    } else if (message.seek === this.seek) {
      this.outstanding -= message.count;
    }
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.walk === undefined || this.outstanding >= this.data.depth) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.makeOne();
      this.schedule();
    });
  }

  private makeOne(): void {
    if (this.walk === undefined || this.outstanding >= this.data.depth) return;
    const { epoch, stepInEpoch, lane } = this.walk.next().value;
    const { seed, augmentation } = this.data.spec;
    const ids = this.sampler.laneSamples(epoch, stepInEpoch, lane);
    const batch = this.maker.laneBatch(ids, { seed, epoch, augmentation });
    this.outstanding += 1;
    const transfer = [batch.images.buffer, batch.labels.buffer];
    this.send({ kind: 'batch', seek: this.seek, lane, batch }, transfer);
  }
}
