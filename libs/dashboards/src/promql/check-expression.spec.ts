import { describe, expect, it } from 'vitest';
import { expressionProblems, groupedLabels } from './check-expression.js';
import { registeredSeries } from './known-series.js';
import { withoutVariables } from './variables.js';

const known = registeredSeries();

describe('registeredSeries', () => {
  it('has a histogram as its three series, and the labels of targets', () => {
    expect(known.get('skipring_job_step_duration_seconds_bucket')).toContain('le');
    expect(known.get('skipring_job_step_duration_seconds_sum')).not.toContain('le');
    expect(known.has('skipring_job_step_duration_seconds')).toBe(false);
    expect(known.get('skipring_job_loss')).toEqual(new Set(['job_id', 'split', 'job', 'instance']));
  });

  it('has what the process and the runtime export', () => {
    expect(known.has('process_cpu_seconds_total')).toBe(true);
  });
});

describe('expressionProblems', () => {
  it.each([
    'skipring_job_loss',
    'sum by (job_id) (rate(skipring_job_step_duration_seconds_sum{job_id=~"a"}[5m])) > 0',
    'skipring_job_step / on (job_id) group_left (state) skipring_job_state',
    'histogram_quantile(0.9, sum by (le) (rate(skipring_http_request_duration_seconds_bucket[5m])))',
    'up{job="skipring-worker"} == 0',
  ])('accepts %s', (expression) => {
    expect(expressionProblems(expression, known)).toEqual([]);
  });

  it.each([
    ['skipring_job_losss', 'skipring_job_losss: no such metric is registered'],
    ['skipring_job_loss{rank="0"}', 'skipring_job_loss has no label rank'],
    ['sum by (worker) (skipring_job_loss)', 'skipring_job_loss has no label worker to group by'],
    [
      'skipring_job_step and on (job_id) skipring_redis_up',
      'skipring_redis_up has no label job_id to group by',
    ],
    [
      'skipring_job_step * on (job_id) group_left (rank) skipring_job_loss',
      'skipring_job_step, skipring_job_loss has no label rank to group by',
    ],
    ['{job_id="a"}', '{job_id="a"}: expected a metric\'s name before its labels'],
    ['sum(skipring_job_loss', 'syntax error at 21 in sum(skipring_job_loss'],
    [
      'skipring_job_step_duration_seconds',
      'skipring_job_step_duration_seconds: no such metric is registered',
    ],
  ])('refuses %s', (expression, problem) => {
    expect(expressionProblems(expression, known)).toContain(problem);
  });
});

describe('groupedLabels', () => {
  it('are those of every aggregation', () => {
    expect(groupedLabels('sum by (a, b) (x) / on (c) sum by (a) (y)')).toEqual(new Set(['a', 'b']));
  });
});

describe('withoutVariables', () => {
  it('leaves an expression that Prometheus takes', () => {
    expect(withoutVariables('rate(x{job_id=~"$job",instance=~"$worker"}[$__rate_interval])')).toBe(
      'rate(x{job_id=~".*",instance=~".*"}[1m])',
    );
  });
});
