import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Chart } from '../charts/chart.js';
import { wholePercent } from '../charts/plot-options.js';
import { useChartView } from '../charts/use-chart-view.js';
import { percent } from '../format.js';
import { Loading } from '../ui/states.js';
import type { JobHistory } from './job-history.js';
import { LayerSection } from './layer-heat-map.js';
import { MarkList } from './mark-list.js';
import { RankBreakdown } from './rank-breakdown.js';
import { evaluationCurve, placed, StepAxis, stepCurves } from './step-curves.js';
import { useDetail } from './use-detail.js';

const TRAIN = 0;
const TEST = 1;

export function ChartsTab({
  jobId,
  history,
  isLoaded,
  isLive,
}: {
  readonly jobId: string;
  readonly history: JobHistory;
  readonly isLoaded: boolean;
  readonly isLive: boolean;
}): JSX.Element {
  const { settings, range, tools, shared } = useChartView(jobId);
  const { xAxis, smoothing, isLogY } = settings;
  const overview = useMemo(() => new StepAxis(history.steps, xAxis), [history.steps, xAxis]);
  const stepRange =
    range === null ? null : { min: overview.stepAt(range.min), max: overview.stepAt(range.max) };
  const steps = useDetail(jobId, history.steps, stepRange);
  const axis = useMemo(() => new StepAxis(steps, xAxis), [steps, xAxis]);
  const marks = useMemo(() => placed(history.marks, axis), [history.marks, axis]);
  const { evaluations } = history;
  const curves = useMemo(
    () => ({
      loss: [
        ...stepCurves(steps, axis, 'loss', 'training', TRAIN, smoothing),
        evaluationCurve(evaluations, axis, 'loss', 'test', TEST),
      ],
      accuracy: [
        ...stepCurves(steps, axis, 'accuracy', 'training', TRAIN, smoothing),
        evaluationCurve(evaluations, axis, 'accuracy', 'test', TEST),
      ],
      learningRate: stepCurves(steps, axis, 'learningRate', 'learning rate', 2, 0),
      pace: stepCurves(steps, axis, 'imagesPerSecond', 'images/s', 3, smoothing),
    }),
    [steps, axis, evaluations, smoothing],
  );
  // Made once, not at each move of a chart.
  const details = useMemo(
    () => (
      <>
        <MarkList marks={history.marks} />
        <RankBreakdown jobId={jobId} isLive={isLive} />
        <LayerSection jobId={jobId} isLive={isLive} />
      </>
    ),
    [history.marks, jobId, isLive],
  );
  if (!isLoaded) return <Loading what="the curves" />;
  return (
    <>
      {tools}
      <div class="charts">
        <Chart {...shared} marks={marks} title="Loss" curves={curves.loss} isLogY={isLogY} />
        <Chart
          {...shared}
          marks={marks}
          title="Accuracy"
          curves={curves.accuracy}
          formatY={percent}
          formatTick={wholePercent}
        />
        <Chart
          {...shared}
          marks={marks}
          title="Learning rate"
          curves={curves.learningRate}
          isLogY={isLogY}
        />
        <Chart {...shared} marks={marks} title="Images per second" curves={curves.pace} />
      </div>
      <p class="note wide-only">
        Drag to zoom, drag with Shift to move, double click for all. Keys: ← → move, + − zoom, 0
        all.
      </p>
      {details}
    </>
  );
}
