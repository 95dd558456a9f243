import type { RankRecord, StepParts } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Chart } from '../charts/chart.js';
import type { Curve } from '../charts/chart-data.js';
import { lineColor } from '../charts/palette.js';
import { useApi } from '../client-context.js';
import { significant } from '../format.js';
import { Loaded } from '../ui/states.js';

const NUM_POINTS = 600;
const REFRESH_MS = 3_000;

const PARTS: readonly {
  readonly part: keyof StepParts;
  readonly title: string;
  readonly color: number;
}[] = [
  { part: 'computeMs', title: 'compute', color: 0 },
  { part: 'ringMs', title: 'ring', color: 1 },
  { part: 'dataWaitMs', title: 'wait for data', color: 4 },
  { part: 'commitMs', title: 'commit', color: 3 },
  { part: 'applyMs', title: 'apply', color: 2 },
];

/** How each rank spends a step: now as bars, and over the steps as curves. */
export function RankBreakdown({
  jobId,
  isLive,
}: {
  readonly jobId: string;
  readonly isLive: boolean;
}): JSX.Element {
  const ranks = useApi(
    `ranks ${jobId}`,
    (client) => client.ranks(jobId, { points: NUM_POINTS, limit: 10_000 }),
    { everyMs: isLive ? REFRESH_MS : undefined },
  );
  return (
    <section class="card" aria-labelledby="ranks">
      <h2 id="ranks">Where a step’s time goes, by rank</h2>
      <Loaded of={ranks} what="the ranks">
        {(records) =>
          records.length === 0 ? (
            <p class="note">No rank has reported yet.</p>
          ) : (
            <Breakdown records={records} />
          )
        }
      </Loaded>
    </section>
  );
}

function Breakdown({ records }: { readonly records: readonly RankRecord[] }): JSX.Element {
  const last = records.at(-1);
  const [rank, setRank] = useState<number | null>(null);
  const curves = useMemo(() => partCurves(records, rank), [records, rank]);
  if (last === undefined) return <></>;
  const longest = Math.max(1, ...last.ranks.map(({ parts }) => totalOf(parts)));
  return (
    <div class="ranks">
      <div>
        <ul class="legend">
          {PARTS.map(({ part, title, color }) => (
            <li key={part}>
              <span class="swatch" style={{ background: lineColor(color) }} />
              {title}
            </li>
          ))}
        </ul>
        <table class="bars">
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">Step {last.step}</th>
              <th scope="col" class="number">
                ms
              </th>
            </tr>
          </thead>
          <tbody>
            {last.ranks.map((of) => (
              <tr key={of.rank}>
                <th scope="row">
                  {of.rank} <span class="id">{of.workerId}</span>
                </th>
                <td class="stack-cell">
                  <StackBar parts={of.parts} longest={longest} />
                </td>
                <td class="number">{significant(totalOf(of.parts))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div>
        <label>
          Curves of{' '}
          <select
            value={rank ?? ''}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setRank(value === '' ? null : Number(value));
            }}
          >
            <option value="">all ranks, mean</option>
            {last.ranks.map((of) => (
              <option key={of.rank} value={of.rank}>
                rank {of.rank}
              </option>
            ))}
          </select>
        </label>
        <Chart title="Milliseconds of a step" curves={curves} group={`ranks ${rank ?? 'all'}`} />
      </div>
    </div>
  );
}

function StackBar({
  parts,
  longest,
}: {
  readonly parts: StepParts;
  readonly longest: number;
}): JSX.Element {
  const text = PARTS.map(({ part, title }) => `${title} ${significant(parts[part])} ms`).join(', ');
  return (
    <span class="stack" role="img" aria-label={text} title={text}>
      {PARTS.map(({ part, color }) => (
        <span
          key={part}
          style={{ width: `${(100 * parts[part]) / longest}%`, background: lineColor(color) }}
        />
      ))}
    </span>
  );
}

function totalOf(parts: StepParts): number {
  return Object.values(parts).reduce((sum, ms) => sum + ms, 0);
}

function partCurves(records: readonly RankRecord[], rank: number | null): Curve[] {
  const x = records.map(({ step }) => step);
  return PARTS.map(({ part, title, color }) => ({
    name: title,
    x,
    y: records.map(({ ranks }) => {
      const of = rank === null ? ranks : ranks.filter((each) => each.rank === rank);
      return of.length === 0
        ? null
        : of.reduce((sum, { parts }) => sum + parts[part], 0) / of.length;
    }),
    color,
  }));
}
