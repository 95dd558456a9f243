import {
  StackingMode,
  VizTooltipOptionsBuilder,
  TooltipDisplayMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  StackingConfigBuilder,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
} from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { jobMetrics, workerProcessMetrics } from '@skipring/metrics';
import type { Board, Panel, Variable } from './board.js';
import { CHOSEN_JOBS } from './expressions.js';

/** Chosen on the dashboard, so that the same file serves any Grafana. */
const SOURCE = { type: 'prometheus', uid: '${source}' };
const TAG = 'skipring';
/** In rows of Grafana's grid. */
const HEIGHTS = { number: 4, lines: 8, stacked: 8 } as const;

/** Moments of a new generation; also queried in tests. */
export const GENERATION_MARKS = `changes(${jobMetrics.generation.name}{${CHOSEN_JOBS}}[1m]) > 0`;

/** Grafana's own form of a dashboard. */
export function toGrafana(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([TAG])
    .readonly()
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('source').label('Data source').type('prometheus'))
    .link(
      new DashboardLinkBuilder('Skipring')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    );
  for (const variable of board.variables) builder.withVariable(choice(variable));
  if (board.marksGenerations) builder.annotation(generationMarks());
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelBuilder(panel));
  }
  return builder.build();
}

function choice(variable: Variable): QueryVariableBuilder {
  const isJob = variable === 'job';
  const [metric, label] = isJob
    ? [jobMetrics.state.name, 'job_id']
    : [workerProcessMetrics.rank.name, 'instance'];
  const query = `label_values(${metric}, ${label})`;
  return new QueryVariableBuilder(variable)
    .label(isJob ? 'Job' : 'Worker')
    .datasource(SOURCE)
    .query({ query, refId: variable })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function generationMarks(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('New generations')
    .datasource(SOURCE)
    .enable(true)
    .iconColor('purple')
    .expr(GENERATION_MARKS)
    .titleFormat('New generation')
    .textFormat('{{job_id}}');
}

function panelBuilder(panel: Panel): StatBuilder | LinesBuilder {
  const builder = panel.kind === 'number' ? new StatBuilder() : lines(panel);
  builder
    .title(panel.title)
    .description(panel.help)
    .datasource(SOURCE)
    .unit(panel.unit)
    .span(panel.width)
    .height(HEIGHTS[panel.kind])
    .noValue('no data')
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([
          { value: null, color: 'green' },
          ...(panel.thresholds ?? []).map(({ from, color }) => ({ value: from, color })),
        ]),
    );
  // Plain numbers may be negative, such as the rank of a worker in no ring.
  if (panel.unit !== 'none') builder.min(0);
  if (panel.max !== undefined) builder.max(panel.max);
  for (const [index, { expression, legend }] of panel.queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + index))
      .datasource(SOURCE)
      .expr(expression)
      .legendFormat(legend);
    builder.withTarget(panel.kind === 'number' ? query.instant() : query.range());
  }
  return builder;
}

function lines(panel: Panel): LinesBuilder {
  const builder = new LinesBuilder()
    .lineWidth(1)
    .fillOpacity(panel.kind === 'stacked' ? 30 : 0)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (panel.kind === 'stacked') {
    builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  }
  if (panel.thresholds !== undefined) {
    builder.thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed),
    );
  }
  return builder;
}
