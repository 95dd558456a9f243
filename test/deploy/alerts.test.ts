import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRuleGroups } from '@skipring/dashboards';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensurePromtool } from '../support/promtool.js';
import { deployDirectory, repository } from './paths.js';

const prometheus = join(deployDirectory, 'prometheus');
const alerts = readRuleGroups(join(prometheus, 'rules'))
  .flatMap(({ rules }) => rules)
  .flatMap((rule) => ('alert' in rule ? [rule] : []));
const testFiles = readdirSync(join(prometheus, 'tests')).map((name) =>
  join(prometheus, 'tests', name),
);

interface AlertCase {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

/** Of all unit tests of rules. */
function alertCases(): AlertCase[] {
  return testFiles.flatMap((path) => {
    const { tests } = parse(readFileSync(path, 'utf8')) as {
      tests: { alert_rule_test: AlertCase[] }[];
    };
    return tests.flatMap((test) => test.alert_rule_test);
  });
}

describe('alerts', () => {
  it.each(alerts)('$alert has a runbook', ({ alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/operations/runbooks/${alert}.md`);
    const page = readFileSync(join(repository, annotations.runbook_url), 'utf8');
    expect(page).toContain(`# ${alert}\n`);
    expect(page).toContain('## Find out');
    expect(page).toContain('## Do');
  });

  it.each(alerts)('$alert has a unit test in which it fires and one in which not', ({ alert }) => {
    const cases = alertCases().filter(({ alertname }) => alertname === alert);
    expect(cases.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(cases.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  it('has no runbook for an alert that is gone', () => {
    const pages = readdirSync(join(repository, 'docs/operations/runbooks'))
      .filter((name) => name !== 'README.md')
      .map((name) => name.replace(/\.md$/, ''));
    expect(pages.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it('has runbooks whose links lead somewhere', () => {
    const directory = join(repository, 'docs/operations/runbooks');
    for (const name of readdirSync(directory)) {
      const text = readFileSync(join(directory, name), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
        expect(existsSync(join(directory, target)), `${name} -> ${target}`).toBe(true);
      }
    }
  });
});

const promtool = await ensurePromtool();

describe.skipIf(promtool === undefined)('promtool (needs it, or apt to fetch it)', () => {
  it.each(testFiles)('finds that %s holds', (path) => {
    const { status, stdout, stderr } = spawnSync(promtool!, ['test', 'rules', path], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  it('accepts the configuration', () => {
    // The credentials are a file of the container, so only the syntax can be checked here.
    const args = ['check', 'config', '--syntax-only', join(prometheus, 'prometheus.yaml')];
    const { status, stdout, stderr } = spawnSync(promtool!, args, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});
