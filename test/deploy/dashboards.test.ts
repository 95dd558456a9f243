import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  boards,
  expressionProblems,
  GENERATION_MARKS,
  generatedFiles,
  readRuleGroups,
  registeredSeries,
  withoutVariables,
  withRecorded,
} from '@skipring/dashboards';
import { describe, expect, it } from 'vitest';
import { deployDirectory } from './paths.js';

const groups = readRuleGroups(join(deployDirectory, 'prometheus', 'rules'));
const known = withRecorded(registeredSeries(), groups);
const panels = boards.flatMap((board) =>
  board.rows.flatMap((row) => row.panels.map((panel) => ({ board, panel }))),
);

describe('dashboards and rules', () => {
  it.each(generatedFiles(deployDirectory))(
    '$path is up to date (npm run generate -w libs/dashboards)',
    ({ path, text }) => {
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  it('have queries that parse and name what is registered', () => {
    const problems = panels.flatMap(({ board, panel }) =>
      panel.queries.flatMap(({ expression }) =>
        expressionProblems(withoutVariables(expression), known).map(
          (problem) => `${board.title} / ${panel.title}: ${problem}`,
        ),
      ),
    );
    expect(problems).toEqual([]);
    expect(expressionProblems(withoutVariables(GENERATION_MARKS), known)).toEqual([]);
  });

  it('have legends that name labels of the result', () => {
    for (const { board, panel } of panels) {
      for (const { expression, legend } of panel.queries) {
        for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
          expect(expression, `${board.title} / ${panel.title}`).toMatch(
            new RegExp(`by \\([^)]*\\b${label}\\b`),
          );
        }
      }
    }
  });

  it.each(groups.flatMap(({ rules }) => rules))('rule $alert$record is sound', ({ expr }) => {
    expect(expressionProblems(expr, known)).toEqual([]);
  });

  it('ask for no variable that the dashboard does not have', () => {
    for (const { board, panel } of panels) {
      for (const { expression } of panel.queries) {
        if (expression.includes('$job')) expect(board.variables).toContain('job');
        if (expression.includes('$worker')) expect(board.variables).toContain('worker');
      }
    }
  });

  it('fill their rows and have titles of their own', () => {
    for (const board of boards) {
      for (const { title, panels: row } of board.rows) {
        const width = row.reduce((sum, panel) => sum + panel.width, 0);
        expect(width % 24, `${board.title} / ${title}`).toBe(0);
      }
      const titles = board.rows.flatMap((row) => row.panels.map((panel) => panel.title));
      expect(new Set(titles).size).toBe(titles.length);
    }
    expect(new Set(boards.map(({ uid }) => uid)).size).toBe(boards.length);
  });
});
