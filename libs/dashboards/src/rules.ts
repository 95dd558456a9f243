import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { groupedLabels } from './promql/check-expression.js';
import type { KnownSeries } from './promql/known-series.js';

const ruleSchema = z.union([
  z.strictObject({ record: z.string(), expr: z.string() }),
  z.strictObject({
    alert: z.string(),
    expr: z.string(),
    for: z.string().optional(),
    labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
    annotations: z.strictObject({
      summary: z.string(),
      description: z.string(),
      runbook_url: z.string(),
    }),
  }),
]);

const ruleFileSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string().optional(),
      rules: z.array(ruleSchema),
    }),
  ),
});

export type RuleGroup = z.output<typeof ruleFileSchema>['groups'][number];
export type Rule = z.output<typeof ruleSchema>;

/** All groups of the rule files in a directory, in the order of the files' names. */
export function readRuleGroups(directory: string): RuleGroup[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(directory, name), 'utf8');
      return ruleFileSchema.parse(parse(text)).groups;
    });
}

/** The series that exist, with those that recording rules add. */
export function withRecorded(known: KnownSeries, groups: readonly RuleGroup[]): KnownSeries {
  const all = new Map(known);
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    if (!('record' in rule)) continue;
    all.set(rule.record, groupedLabels(rule.expr));
  }
  return all;
}
