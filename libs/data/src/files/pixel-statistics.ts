/** Distinct values of a pixel. */
const PIXEL_VALUES = 256;

/**
 * Mean and standard deviation of each channel, of pixels scaled to [0, 1]. Pixels are counted by
 * value and summed as integers, so that the result is exact but for the last division and root.
 */
export class PixelStatistics {
  private readonly counts: Float64Array;

  constructor(private readonly channels: number) {
    this.counts = new Float64Array(channels * PIXEL_VALUES);
  }

  /** @param pixels uint8, any number of pixels with their channels interleaved */
  add(pixels: Uint8Array): void {
    const { channels, counts } = this;
    let channel = 0;
    for (const byte of pixels) {
      const index = channel * PIXEL_VALUES + byte;
      counts[index] = counts[index]! + 1;
      channel = channel + 1 === channels ? 0 : channel + 1;
    }
  }

  /**
   * The population's statistics. A constant channel has a standard deviation of 1, so that it can
   * be divided by.
   */
  result(): { mean: number[]; standardDeviation: number[] } {
    const perChannel = Array.from({ length: this.channels }, (_, channel) => this.of(channel));
    return {
      mean: perChannel.map(({ mean }) => mean),
      standardDeviation: perChannel.map(({ deviation }) => deviation),
    };
  }

  private of(channel: number): { mean: number; deviation: number } {
    let count = 0;
    let sum = 0;
    let squares = 0;
    for (let byte = 0; byte < PIXEL_VALUES; byte++) {
      const n = this.counts[channel * PIXEL_VALUES + byte]!;
      count += n;
      sum += n * byte;
      squares += n * byte * byte;
    }
    const mean = sum / count;
    const variance = squares / count - mean * mean;
    const deviation = variance > 0 ? Math.sqrt(variance) / 255 : 1;
    return { mean: mean / 255, deviation };
  }
}
