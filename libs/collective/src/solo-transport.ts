import { InboxTransport } from './inbox-transport.js';

/** The ring of one rank: it has no links, and its collectives have nothing to do. */
export class SoloTransport extends InboxTransport {
  override readonly incomingBytesPerSecond = null;

  constructor() {
    super({ rank: 0, worldSize: 1, segmentBytes: 1 });
  }

  protected override transmit(): Promise<number> {
    return Promise.reject(new Error('a ring of one rank has no neighbour'));
  }
  protected override pauseReceiving(): void {
    return;
  }
  protected override resumeReceiving(): void {
    return;
  }
  protected override disconnect(): void {
    return;
  }
  protected override closeLinks(): Promise<void> {
    return Promise.resolve();
  }
}
