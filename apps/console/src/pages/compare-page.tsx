import { finalJobStates, MAX_LISTED, type JobSummary, type JobView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Chart } from '../charts/chart.js';
import type { Curve } from '../charts/chart-data.js';
import type { ChartSettings } from '../charts/chart-tools.js';
import { lineColor } from '../charts/palette.js';
import { wholePercent } from '../charts/plot-options.js';
import { useChartView } from '../charts/use-chart-view.js';
import { useApi } from '../client-context.js';
import { duration, integer, percent, shortHash, significant } from '../format.js';
import { specDifferences } from '../jobs/spec-differences.js';
import { evaluationCurve, StepAxis, stepCurves } from '../jobs/step-curves.js';
import { readRun, type Run } from '../jobs/read-run.js';
import { Link, navigate } from '../router.js';
import { Badge } from '../ui/badge.js';
import { Empty, Loaded } from '../ui/states.js';

const REFRESH_MS = 3_000;
const NUM_SHOWN = 100;

/** Curves of any number of jobs over each other, and what they differ in. */
export function ComparePage({ ids }: { readonly ids: readonly string[] }): JSX.Element {
  const jobs = useApi('compare list', (client) =>
    client.jobSummaries({ limit: MAX_LISTED.summary }),
  );
  const key = ids.length === 0 ? null : `compare ${ids.join(',')}`;
  const runs = useApi(key, (client) => Promise.all(ids.map((id) => readRun(client, id))), {
    everyMs: REFRESH_MS,
  });
  const choose = (next: readonly string[]): void => {
    navigate(next.length === 0 ? '/compare' : `/compare?jobs=${next.join(',')}`, { replace: true });
  };
  return (
    <>
      <div class="page-head">
        <h1>Compare runs</h1>
      </div>
      <div class="compare">
        <Loaded of={jobs} what="the jobs">
          {({ items }) => <Chooser jobs={items} ids={ids} onChoose={choose} />}
        </Loaded>
        <div>
          {ids.length === 0 ? (
            <Empty title="Choose jobs to compare">
              <p>Any number of them; their curves lie over each other.</p>
            </Empty>
          ) : (
            <Loaded of={runs} what="the curves">
              {(found) => <Comparison runs={found} />}
            </Loaded>
          )}
        </div>
      </div>
    </>
  );
}

function Chooser({
  jobs,
  ids,
  onChoose,
}: {
  readonly jobs: readonly JobSummary[];
  readonly ids: readonly string[];
  readonly onChoose: (ids: readonly string[]) => void;
}): JSX.Element {
  const [text, setText] = useState('');
  const chosen = jobs.filter(({ id }) => ids.includes(id));
  const others = jobs.filter(({ id, name }) => !ids.includes(id) && `${name} ${id}`.includes(text));
  const shown = [...chosen, ...others.slice(0, NUM_SHOWN)];
  return (
    <fieldset class="chooser card">
      <legend>Jobs</legend>
      <label class="hidden" for="filter">
        Filter by name or id
      </label>
      <input
        id="filter"
        type="search"
        placeholder="Filter"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
        }}
      />
      <ul>
        {shown.map(({ id, name, state }) => {
          const index = ids.indexOf(id);
          return (
            <li key={id}>
              <label>
                <input
                  type="checkbox"
                  checked={index >= 0}
                  onChange={() => {
                    onChoose(index >= 0 ? ids.filter((each) => each !== id) : [...ids, id]);
                  }}
                />
                <span
                  class="swatch"
                  style={{ background: index >= 0 ? lineColor(index) : 'transparent' }}
                />
                <span>
                  {name}
                  <span class="id">
                    {state} · {id}
                  </span>
                </span>
              </label>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

function Comparison({ runs }: { readonly runs: readonly Run[] }): JSX.Element {
  const { settings, tools, shared } = useChartView('compare');
  const curves = useMemo(() => curvesOf(runs, settings), [runs, settings]);
  const { isLogY } = settings;
  return (
    <>
      {tools}
      <div class="charts">
        <Chart {...shared} title="Training loss" curves={curves.loss} isLogY={isLogY} />
        <Chart
          {...shared}
          title="Training accuracy"
          curves={curves.accuracy}
          formatY={percent}
          formatTick={wholePercent}
        />
        <Chart
          {...shared}
          title="Test accuracy"
          curves={curves.test}
          formatY={percent}
          formatTick={wholePercent}
        />
        <Chart {...shared} title="Learning rate" curves={curves.rate} isLogY={isLogY} />
        <Chart {...shared} title="Images per second" curves={curves.pace} />
      </div>
      <Differences runs={runs} />
    </>
  );
}

function curvesOf(runs: readonly Run[], { xAxis, smoothing }: ChartSettings) {
  const loss: Curve[] = [];
  const accuracy: Curve[] = [];
  const test: Curve[] = [];
  const rate: Curve[] = [];
  const pace: Curve[] = [];
  runs.forEach(({ job, steps, evaluations }, color) => {
    const axis = new StepAxis(steps, xAxis);
    loss.push(...stepCurves(steps, axis, 'loss', job.name, color, smoothing));
    accuracy.push(...stepCurves(steps, axis, 'accuracy', job.name, color, smoothing));
    test.push(evaluationCurve(evaluations, axis, 'accuracy', job.name, color));
    rate.push(...stepCurves(steps, axis, 'learningRate', job.name, color, smoothing));
    pace.push(...stepCurves(steps, axis, 'imagesPerSecond', job.name, color, smoothing));
  });
  return { loss, accuracy, test, rate, pace };
}

function Differences({ runs }: { readonly runs: readonly Run[] }): JSX.Element {
  const rows = specDifferences(runs.map(({ job }) => job.spec));
  const results: readonly (readonly [string, (job: JobView) => string])[] = [
    ['Step', ({ progress }) => `${integer(progress.step)} / ${integer(progress.totalSteps)}`],
    ['Loss', ({ lastStep }) => (lastStep === null ? '–' : significant(lastStep.loss))],
    ['Test accuracy', ({ lastEvaluation }) => percent(lastEvaluation?.accuracy ?? null)],
    ['Best accuracy', ({ bestAccuracy }) => percent(bestAccuracy)],
    ['Time', timeOf],
    ['Model SHA-256', ({ modelSha256 }) => (modelSha256 === null ? '–' : shortHash(modelSha256))],
  ];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Results and differences">
      <table class="differences">
        <caption>Results, and what the specs differ in</caption>
        <thead>
          <tr>
            <td />
            {runs.map(({ job }, color) => (
              <th key={job.id} scope="col">
                <span class="swatch" style={{ background: lineColor(color) }} />
                <Link to={`/jobs/${job.id}`}>{job.name}</Link> <Badge state={job.state} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {results.map(([title, valueOf]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {runs.map(({ job }) => (
                <td key={job.id} class="number">
                  {valueOf(job)}
                </td>
              ))}
            </tr>
          ))}
          {rows.map(({ field, values }) => (
            <tr key={field}>
              <th scope="row">
                <code>{field}</code>
              </th>
              {values.map((value, index) => (
                <td key={index} class="number">
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function timeOf({ state, startedAt, finishedAt }: JobView): string {
  if (startedAt === null) return '–';
  const end =
    finalJobStates.includes(state) && finishedAt !== null ? Date.parse(finishedAt) : Date.now();
  return duration(end - Date.parse(startedAt));
}
