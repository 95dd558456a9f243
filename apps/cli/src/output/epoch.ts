/**
 * An epoch as people count: the first is 1. The API counts from 0, and the position behind the last
 * step of the last epoch belongs to that epoch.
 */
export function epochNumber(epoch: number, totalEpochs: number): number {
  return Math.min(epoch + 1, Math.max(1, totalEpochs));
}
