import { join } from 'node:path';
import { stringify } from 'yaml';
import { boards } from './boards/index.js';
import { toGrafana } from './grafana.js';
import { readRuleGroups } from './rules.js';

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/**
 * What is checked in and made from code: Grafana's dashboards, and Prometheus' rules as an object of
 * the Prometheus operator.
 * @param deploy the repository's `deploy` directory
 */
export function generatedFiles(deploy: string): GeneratedFile[] {
  const dashboards = boards.map((board) => ({
    path: join(deploy, 'grafana', 'dashboards', `${board.uid}.json`),
    text: `${JSON.stringify(toGrafana(board), null, 2)}\n`,
  }));
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'skipring' },
    spec: { groups: readRuleGroups(join(deploy, 'prometheus', 'rules')) },
  };
  return [
    ...dashboards,
    {
      path: join(deploy, 'kubernetes', 'components', 'monitoring', 'prometheus-rule.yaml'),
      text: `# Made from deploy/prometheus/rules.\n${stringify(rule, { lineWidth: 0 })}`,
    },
  ];
}
