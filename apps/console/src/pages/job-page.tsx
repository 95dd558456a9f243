import { finalJobStates, type JobView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useClient, useMay, useMayChange } from '../client-context.js';
import { duration, integer, percent, shortHash, significant } from '../format.js';
import { ChartsTab } from '../jobs/charts-tab.js';
import { CheckpointsTab } from '../jobs/checkpoints-tab.js';
import { downloadModel } from '../jobs/download-model.js';
import { EvaluationTab } from '../jobs/evaluation-tab.js';
import { EventsTab, LogTab } from '../jobs/events-tab.js';
import { LedgerTab } from '../jobs/ledger-tab.js';
import { SpecTab } from '../jobs/spec-tab.js';
import { useJobFeed, type JobFeed } from '../jobs/use-job-feed.js';
import { Link, navigate } from '../router.js';
import { ActionButton } from '../ui/action-button.js';
import { Badge } from '../ui/badge.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { Figure } from '../ui/figure.js';
import { Failure, Loading } from '../ui/states.js';
import { Tabs } from '../ui/tabs.js';

const TABS = [
  { name: 'charts', title: 'Charts' },
  { name: 'evaluation', title: 'Evaluation' },
  { name: 'events', title: 'Events' },
  { name: 'log', title: 'Log' },
  { name: 'spec', title: 'Spec' },
  { name: 'checkpoints', title: 'Checkpoints' },
  { name: 'ledger', title: 'Ledger' },
] as const;

export function JobPage({
  id,
  tab = 'charts',
}: {
  readonly id: string;
  readonly tab?: string | undefined;
}): JSX.Element {
  const [turn, setTurn] = useState(0);
  const feed = useJobFeed(id, turn);
  const { job, error } = feed;
  if (job === null) return error === null ? <Loading what="the job" /> : <Failure error={error} />;
  return (
    <>
      <Head
        job={job}
        connection={feed.connection}
        onResumed={() => {
          setTurn(turn + 1);
        }}
      />
      {error !== null && <Failure error={error} />}
      <Figures job={job} />
      <Tabs tabs={TABS} current={tab} base={`/jobs/${id}`} label="Parts of the job" />
      <Part tab={tab} job={job} feed={feed} />
    </>
  );
}

function Part({
  tab,
  job,
  feed: { history, isLoaded },
}: {
  readonly tab: string;
  readonly job: JobView;
  readonly feed: JobFeed;
}): JSX.Element {
  const isLive = !finalJobStates.includes(job.state);
  switch (tab) {
    case 'evaluation':
      return <EvaluationTab job={job} evaluations={history.evaluations} isLoaded={isLoaded} />;
    case 'events':
      return <EventsTab events={history.events} />;
    case 'log':
      return <LogTab events={history.events} />;
    case 'spec':
      return <SpecTab spec={job.spec} />;
    case 'checkpoints':
      return <CheckpointsTab job={job} events={history.events} />;
    case 'ledger':
      return <LedgerTab jobId={job.id} isLive={isLive} />;
    default:
      return <ChartsTab jobId={job.id} history={history} isLoaded={isLoaded} isLive={isLive} />;
  }
}

function Head({
  job,
  connection,
  onResumed,
}: {
  readonly job: JobView;
  readonly connection: JobFeed['connection'];
  readonly onResumed: () => void;
}): JSX.Element {
  const client = useClient();
  const canSubmit = useMay('submitter');
  const mayChange = useMayChange(job.owner);
  const isFinal = finalJobStates.includes(job.state);
  const canResume = mayChange && ['cancelled', 'failed', 'paused'].includes(job.state);
  const canPause = mayChange && ['pending', 'waiting', 'running'].includes(job.state);
  return (
    <div class="page-head">
      <div>
        <h1>
          {job.name} <Badge state={job.state} />
          {!isFinal && (
            <span class={`live live-${connection}`} role="status">
              {connection === 'live' ? 'live' : 'connecting …'}
            </span>
          )}
        </h1>
        <p class="sub">
          <code>{job.id}</code> · of {job.owner} · {job.reason}
        </p>
      </div>
      <div class="tools">
        {canSubmit && (
          <>
            <Link class="button" to={`/submit?from=${job.id}`}>
              Clone and edit
            </Link>
            <Link class="button" to={`/sweeps/new?from=${job.id}`}>
              Sweep
            </Link>
          </>
        )}
        <Link class="button" to={`/compare?jobs=${job.id}`}>
          Compare
        </Link>
        {job.modelSha256 !== null && (
          <ActionButton kind="primary" act={() => downloadModel(client, job)}>
            Download model
          </ActionButton>
        )}
        {canResume && (
          <ActionButton
            kind="primary"
            act={async () => {
              await client.resume(job.id);
              onResumed();
            }}
          >
            Resume
          </ActionButton>
        )}
        {canPause && <ActionButton act={() => client.pause(job.id)}>Pause</ActionButton>}
        {mayChange && !isFinal && job.state !== 'cancelling' && (
          <ActionButton kind="danger" question="Cancel this job?" act={() => client.cancel(job.id)}>
            Cancel
          </ActionButton>
        )}
        {mayChange && isFinal && (
          <ConfirmDialog
            name="Delete"
            title={`Delete ${job.name}?`}
            act={async () => {
              await client.deleteJob(job.id);
              navigate('/', { replace: true });
            }}
          >
            <p>Its curves, evaluations, checkpoints and model are gone for good.</p>
          </ConfirmDialog>
        )}
      </div>
    </div>
  );
}

function Figures({ job }: { readonly job: JobView }): JSX.Element {
  const { progress, lastStep } = job;
  const share = progress.totalSteps === 0 ? 0 : progress.step / progress.totalSteps;
  const isRunning = job.state === 'running';
  return (
    <dl class="figures">
      <Figure name="Step">
        {integer(progress.step)} <small>of {integer(progress.totalSteps)}</small>
        <progress max={1} value={share} aria-label={`${Math.floor(100 * share)} % done`} />
      </Figure>
      <Figure name="Epoch">
        {integer(Math.min(progress.totalEpochs, progress.epoch + 1))}{' '}
        <small>of {integer(progress.totalEpochs)}</small>
      </Figure>
      <Figure name="Loss">{lastStep === null ? '–' : significant(lastStep.loss)}</Figure>
      <Figure name="Test accuracy">{percent(job.lastEvaluation?.accuracy ?? null)}</Figure>
      <Figure name="Best">{percent(job.bestAccuracy)}</Figure>
      <Figure name="Images/s">{isRunning ? integer(progress.imagesPerSecond) : '–'}</Figure>
      <Figure name="Time left">
        {isRunning && progress.etaMs !== null ? duration(progress.etaMs) : '–'}
      </Figure>
      <Figure name={isRunning ? 'Workers' : 'Attempt'}>
        {isRunning ? (
          <span title={job.workers.join(', ')}>
            {job.workers.length} <small>generation {job.generation}</small>
          </span>
        ) : (
          job.attempt
        )}
      </Figure>
      {job.modelSha256 !== null && (
        <Figure name="Model SHA-256">
          <code title={job.modelSha256}>{shortHash(job.modelSha256)}</code>
        </Figure>
      )}
    </dl>
  );
}
