import type { LedgerView, StoredLedger } from '@skipring/protocol';
import { audit, countSamples, reach } from './audit.js';

/** A stored ledger as users see it; an epoch under way is audited as far as it is. */
export function ledgerView(jobId: string, stored: StoredLedger | null): LedgerView {
  const epochs = (stored?.epochs ?? [])
    .toSorted((a, b) => a.epoch - b.epoch)
    .map((entry) => {
      const open = entry.verdict === 'open' ? audit(entry.ranges, reach(entry.ranges)) : [];
      return {
        ...entry,
        verdict: open.length > 0 ? ('violated' as const) : entry.verdict,
        problems: [...entry.problems, ...open],
        samples: countSamples(entry.ranges),
      };
    });
  return {
    jobId,
    summary: stored?.summary ?? null,
    isExact:
      (stored?.summary.numFoldedViolated ?? 0) === 0 &&
      epochs.every(({ verdict }) => verdict !== 'violated'),
    epochs,
  };
}
