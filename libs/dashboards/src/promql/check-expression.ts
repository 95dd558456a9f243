import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';
import type { KnownSeries } from './known-series.js';

/**
 * What is wrong with a PromQL expression: syntax, series that nobody exports, labels that a series
 * does not have. Labels of `by` and `on` must be there on every series below them, as a sum by a
 * label that is not there is one nameless sum.
 * @param expression without Grafana's variables; see `withoutVariables`
 */
export function expressionProblems(expression: string, known: KnownSeries): string[] {
  const problems: string[] = [];
  const text = ({ from, to }: SyntaxNode): string => expression.slice(from, to);
  const visit = (node: SyntaxNode): void => {
    if (node.type.isError) problems.push(`syntax error at ${node.from} in ${expression}`);
    else if (node.name === 'VectorSelector') problems.push(...selectorProblems(node, known, text));
    else if (node.name === 'GroupingLabels') problems.push(...groupingProblems(node, known, text));
    for (const child of childrenOf(node)) visit(child);
  };
  visit(parser.parse(expression).topNode);
  return problems;
}

/** Labels that the result of a recording rule can have: those that its expression groups by. */
export function groupedLabels(expression: string): Set<string> {
  const labels = new Set<string>();
  const visit = (node: SyntaxNode): void => {
    const isBy = node.name === 'GroupingLabels' && node.parent?.name === 'AggregateModifier';
    for (const child of childrenOf(node)) {
      if (isBy) labels.add(expression.slice(child.from, child.to));
      visit(child);
    }
  };
  visit(parser.parse(expression).topNode);
  return labels;
}

type Text = (node: SyntaxNode) => string;

function selectorProblems(selector: SyntaxNode, known: KnownSeries, text: Text): string[] {
  const name = selectedName(selector, text);
  if (name === null) return [`${text(selector)}: expected a metric's name before its labels`];
  const labels = known.get(name);
  if (labels === undefined) return [`${name}: no such metric is registered`];
  return descendants(selector, 'LabelName')
    .map(text)
    .filter((label) => !labels.has(label))
    .map((label) => `${name} has no label ${label}`);
}

function groupingProblems(grouping: SyntaxNode, known: KnownSeries, text: Text): string[] {
  const owner = grouping.parent?.parent;
  if (owner === null || owner === undefined) return [];
  const names = descendants(owner, 'VectorSelector').flatMap((node) => {
    const name = selectedName(node, text);
    return name !== null && known.has(name) ? [name] : [];
  });
  const isExtra = ['GroupLeft', 'GroupRight'].includes(grouping.prevSibling?.name ?? '');
  return childrenOf(grouping).flatMap((label) => {
    const without = names.filter((name) => known.get(name)?.has(text(label)) !== true);
    if (isExtra ? without.length < names.length : without.length === 0) return [];
    return [`${without.join(', ')} has no label ${text(label)} to group by`];
  });
}

function selectedName(selector: SyntaxNode, text: Text): string | null {
  const identifier = selector.getChild('Identifier');
  return identifier === null ? null : text(identifier);
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function descendants(node: SyntaxNode, name: string): SyntaxNode[] {
  return childrenOf(node).flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...descendants(child, name),
  ]);
}
