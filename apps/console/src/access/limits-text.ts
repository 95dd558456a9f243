import type { TokenLimits } from '@skipring/protocol';
import { bytes, integer } from '../format.js';

/** What a token's holder may use at most, in words. */
export function limitsText({
  requestsPerSecond,
  openJobs,
  workers,
  storageBytes,
}: TokenLimits): string {
  const parts = [
    ...(requestsPerSecond === null ? [] : [`${integer(requestsPerSecond)} requests/s`]),
    ...(openJobs === null ? [] : [`${integer(openJobs)} open ${openJobs === 1 ? 'job' : 'jobs'}`]),
    ...(workers === null ? [] : [`${integer(workers)} ${workers === 1 ? 'worker' : 'workers'}`]),
    ...(storageBytes === null ? [] : [`${bytes(storageBytes)} stored`]),
  ];
  return parts.length === 0 ? 'none of its own' : parts.join(', ');
}
