import { jobStates, type JobState, type JobSummary } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useApi, useMay } from '../client-context.js';
import { ago, dateTime, duration, integer, percent, significant } from '../format.js';
import { Link } from '../router.js';
import { Badge } from '../ui/badge.js';
import { Pager } from '../ui/pager.js';
import { Progress } from '../ui/progress.js';
import { Empty, Loaded } from '../ui/states.js';
import { usePages } from '../ui/use-pages.js';

const PAGE = 100;
const REFRESH_MS = 2_000;

export function JobsPage(): JSX.Element {
  const [state, setState] = useState<JobState | ''>('');
  const pages = usePages();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const query = {
    limit: PAGE,
    ...(state === '' ? {} : { state }),
    ...(pages.cursor === undefined ? {} : { cursor: pages.cursor }),
  };
  const jobs = useApi(`jobs ${JSON.stringify(query)}`, (client) => client.jobSummaries(query), {
    everyMs: REFRESH_MS,
  });
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div class="page-head">
        <h1>Jobs</h1>
        <div class="tools">
          {jobs.value !== null && <span>{countOf(jobs.value.total)}</span>}
          {chosen.size > 0 && (
            <Link class="button" to={`/compare?jobs=${[...chosen].join(',')}`}>
              Compare {chosen.size}
            </Link>
          )}
          <label>
            State{' '}
            <select
              value={state}
              onChange={(event) => {
                setState(event.currentTarget.value as JobState | '');
                pages.reset();
              }}
            >
              <option value="">all</option>
              {jobStates.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </div>
      <Loaded of={jobs} what="the jobs">
        {({ items }) =>
          items.length > 0 ? (
            <JobTable jobs={items} chosen={chosen} onToggle={toggle} />
          ) : pages.page > 1 ? (
            <Empty title="No more jobs" />
          ) : (
            <NoJobs state={state} />
          )
        }
      </Loaded>
      <Pager pages={pages} nextCursor={jobs.value?.nextCursor ?? null} />
    </>
  );
}

function countOf(total: number): string {
  return `${integer(total)} ${total === 1 ? 'job' : 'jobs'}`;
}

function NoJobs({ state }: { readonly state: JobState | '' }): JSX.Element {
  const canSubmit = useMay('submitter');
  if (state !== '') return <Empty title={`No job is ${state}`} />;
  return (
    <Empty title="No jobs yet">
      {canSubmit && (
        <p>
          <Link to="/submit">Submit the first one</Link>, or on a terminal:{' '}
          <code>skipring submit job.yaml --follow</code>
        </p>
      )}
    </Empty>
  );
}

function JobTable({
  jobs,
  chosen,
  onToggle,
}: {
  readonly jobs: readonly JobSummary[];
  readonly chosen: ReadonlySet<string>;
  readonly onToggle: (id: string) => void;
}): JSX.Element {
  return (
    <table class="cards jobs">
      <thead>
        <tr>
          <th scope="col">
            <span class="hidden">Compare</span>
          </th>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Step</th>
          <th scope="col" class="number">
            Loss
          </th>
          <th scope="col" class="number">
            Best accuracy
          </th>
          <th scope="col" class="number">
            Images/s
          </th>
          <th scope="col" class="number">
            Time left
          </th>
          <th scope="col" class="number">
            Workers
          </th>
          <th scope="col">Submitted</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id}>
            <td class="choice">
              <input
                type="checkbox"
                aria-label={`Compare ${job.name}`}
                checked={chosen.has(job.id)}
                onChange={() => {
                  onToggle(job.id);
                }}
              />
            </td>
            <th scope="row" class="wide">
              <Link to={`/jobs/${job.id}`}>{job.name}</Link>
              <span class="id">{job.id}</span>
            </th>
            <td class="wide">
              <Badge state={job.state} />
              {job.state !== 'running' && job.state !== 'succeeded' && (
                <span class="reason">{job.reason}</span>
              )}
            </td>
            <td data-name="Step">
              <Progress progress={job.progress} />
            </td>
            <td class="number" data-name="Loss">
              {job.lastStep === null ? '–' : significant(job.lastStep.loss)}
            </td>
            <td class="number" data-name="Best accuracy">
              {percent(job.bestAccuracy)}
            </td>
            <td class="number" data-name="Images/s">
              {job.progress.imagesPerSecond > 0 ? integer(job.progress.imagesPerSecond) : '–'}
            </td>
            <td class="number" data-name="Time left">
              {job.state === 'running' && job.progress.etaMs !== null
                ? duration(job.progress.etaMs)
                : '–'}
            </td>
            <td class="number" data-name="Workers">
              {job.workers.length > 0 ? job.workers.length : '–'}
            </td>
            <td data-name="Submitted">
              <time dateTime={job.createdAt} title={dateTime(job.createdAt)}>
                {ago(job.createdAt)}
              </time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
