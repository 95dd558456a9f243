export type { Board, Panel, Query, Row, Unit, Variable } from './board.js';
export { boards } from './boards/index.js';
export { generatedFiles, type GeneratedFile } from './generate.js';
export { GENERATION_MARKS, toGrafana } from './grafana.js';
export { expressionProblems } from './promql/check-expression.js';
export { registeredSeries, type KnownSeries } from './promql/known-series.js';
export { withoutVariables } from './promql/variables.js';
export { readRuleGroups, withRecorded, type Rule, type RuleGroup } from './rules.js';
