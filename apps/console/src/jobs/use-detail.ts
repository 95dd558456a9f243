import type { StepRecord } from '@skipring/protocol';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Range } from '../charts/chart-data.js';
import { useClient } from '../client-context.js';
import { NUM_POINTS, withDetail } from './job-history.js';

const SETTLED_MS = 150;
/** Fetched on both sides of what is shown, in widths of it, so that panning finds something. */
const MARGIN = 1;

/**
 * The steps, those in a range in more detail: a long history is thinned as a whole, and what is
 * zoomed into is fetched anew.
 *
 * @param range steps that are shown; null: all
 */
export function useDetail(
  jobId: string,
  steps: readonly StepRecord[],
  range: Range | null,
): readonly StepRecord[] {
  const client = useClient();
  const [detail, setDetail] = useState<readonly StepRecord[]>([]);
  const last = steps.at(-1)?.step ?? 0;
  const isThinned = last - (steps[0]?.step ?? 0) >= steps.length;
  const width = range === null ? 0 : range.max - range.min;
  const fromStep = range === null ? 0 : Math.max(1, Math.floor(range.min - MARGIN * width));
  const toStep = range === null ? 0 : Math.min(last, Math.ceil(range.max + MARGIN * width));

  useEffect(() => {
    if (range === null || !isThinned) return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      client.metrics(jobId, { fromStep, toStep, points: NUM_POINTS }).then(
        (found) => {
          if (isCurrent) setDetail(found);
        },
        // The thinned history goes on to be shown.
        () => undefined,
      );
    }, SETTLED_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, jobId, isThinned, fromStep, toStep]);

  return useMemo(
    () => (range === null ? steps : withDetail(steps, detail)),
    [steps, detail, range === null],
  );
}
