import { hasTrialEnded, type SweepView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi, useClient, useMayChange } from '../client-context.js';
import { ago, dateTime, duration, integer } from '../format.js';
import { Link } from '../router.js';
import { parameterText, scoreText } from '../sweeps/score.js';
import { TrialTable } from '../sweeps/trial-table.js';
import { ActionButton } from '../ui/action-button.js';
import { Badge } from '../ui/badge.js';
import { Figure } from '../ui/figure.js';
import { Loaded } from '../ui/states.js';

const REFRESH_MS = 2_000;
/** More curves than these are not told apart. */
const MAX_COMPARED = 32;

/** One sweep: how far it is, its best trial, and all trials. */
export function SweepPage({ id }: { readonly id: string }): JSX.Element {
  const client = useClient();
  const sweep = useApi(`sweep ${id}`, (of) => of.sweep(id), { everyMs: REFRESH_MS });
  return (
    <Loaded of={sweep} what="the sweep">
      {(view) => (
        <>
          <Head
            sweep={view}
            onCancel={async () => {
              await client.cancelSweep(id);
              sweep.reload();
            }}
          />
          <Figures sweep={view} />
          <TrialTable sweep={view} />
        </>
      )}
    </Loaded>
  );
}

function Head({
  sweep: { id, name, state, owner, spec, trials, createdAt },
  onCancel,
}: {
  readonly sweep: SweepView;
  readonly onCancel: () => Promise<void>;
}): JSX.Element {
  const mayChange = useMayChange(owner);
  const jobs = trials.flatMap(({ jobId }) => (jobId === null ? [] : [jobId]));
  return (
    <div class="page-head">
      <div>
        <h1>
          {name} <Badge state={state} />
        </h1>
        <p class="sub">
          <code>{id}</code> · {spec.strategy.kind} by {spec.objective} · submitted by {owner}{' '}
          <time dateTime={createdAt} title={dateTime(createdAt)}>
            {ago(createdAt)}
          </time>
        </p>
      </div>
      <div class="tools">
        {jobs.length > 0 && (
          <Link class="button" to={`/compare?jobs=${jobs.slice(-MAX_COMPARED).join(',')}`}>
            Compare
          </Link>
        )}
        {mayChange && state === 'running' && (
          <ActionButton kind="danger" question="Cancel this sweep?" act={onCancel}>
            Cancel
          </ActionButton>
        )}
      </div>
    </div>
  );
}

function Figures({ sweep }: { readonly sweep: SweepView }): JSX.Element {
  const { spec, trials, best, createdAt, finishedAt } = sweep;
  const numEnded = trials.filter(hasTrialEnded).length;
  const numOpen = trials.filter((trial) => trial.jobId !== null && !hasTrialEnded(trial)).length;
  return (
    <dl class="figures">
      <Figure name="Trials ended">
        {integer(numEnded)} <small>of {integer(trials.length)}</small>
        <progress max={trials.length} value={numEnded} aria-label="Share of trials ended" />
      </Figure>
      <Figure name="Open">
        {integer(numOpen)} <small>of at most {integer(spec.parallel)}</small>
      </Figure>
      <Figure name={`Best ${spec.objective}`}>
        {scoreText(spec.objective, best?.score ?? null)}
      </Figure>
      {best !== null &&
        Object.entries(best.parameters).map(([field, value]) => (
          <Figure key={field} name={`Best ${field}`}>
            {parameterText(value)}
          </Figure>
        ))}
      {finishedAt !== null && (
        <Figure name="Time">{duration(Date.parse(finishedAt) - Date.parse(createdAt))}</Figure>
      )}
    </dl>
  );
}
