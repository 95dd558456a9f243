/** An expression as Prometheus takes it: Grafana's variables filled in so that they match all. */
export function withoutVariables(expression: string, interval = '1m'): string {
  return expression
    .replaceAll(/\$__(rate_interval|interval|range)/g, interval)
    .replaceAll(/\$(job|worker)\b/g, '.*');
}
