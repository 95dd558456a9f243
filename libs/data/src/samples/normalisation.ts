import { DataError } from '../error.js';
import type { ImageStatistics } from './geometry.js';

/** Distinct values of a pixel. */
const PIXEL_VALUES = 256;

/**
 * Normalised value of every pixel byte: (byte / 255 - mean) / standardDeviation, computed in double
 * precision and rounded once to float32.
 *
 * @returns shape [channels, 256], row-major
 * @throws DataError INVALID_MANIFEST if mean or standardDeviation has not one number per channel
 */
export function normalisationTable(statistics: ImageStatistics): Float32Array {
  const { channels, mean, standardDeviation } = statistics;
  requirePerChannel('mean', mean, channels);
  requirePerChannel('standardDeviation', standardDeviation, channels);
  const table = new Float32Array(channels * PIXEL_VALUES);
  for (let channel = 0; channel < channels; channel++) {
    for (let byte = 0; byte < PIXEL_VALUES; byte++) {
      table[channel * PIXEL_VALUES + byte] =
        (byte / 255 - (mean[channel] ?? 0)) / (standardDeviation[channel] ?? 1);
    }
  }
  return table;
}

function requirePerChannel(field: string, values: readonly number[], channels: number): void {
  if (values.length !== channels) {
    throw new DataError(
      'INVALID_MANIFEST',
      `${field} has ${values.length} values; expected one for each of ${channels} channels`,
    );
  }
}
