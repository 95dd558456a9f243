import type { FieldError, JobSpec } from '@skipring/protocol';
import type { JobRecord, RunStore } from '@skipring/redis';
import type { DataSetsService } from '../data-sets/data-sets.service.js';
import { HttpProblem } from '../http/problem.js';
import { invalid } from '../http/validation.pipe.js';
import { checkAgainstDataSet, checkAlone } from './cross-checks.js';
import { totalsOf } from './totals.js';

export interface Totals {
  readonly totalSteps: number;
  readonly totalEpochs: number;
}

/** Decides whether a job can run on its data set: at submission, and again at its turn. */
export class Admission {
  constructor(
    private readonly dataSets: DataSetsService,
    private readonly store: RunStore,
  ) {}

  /**
   * What is known of a new job's length; zeros while its data set is being prepared.
   * @throws HttpProblem DATA_SET_UNKNOWN, or REQUEST_INVALID with every problem
   */
  async atSubmission(spec: JobSpec): Promise<Totals & { readonly reason: string }> {
    const name = spec.data.dataSet;
    const view = await this.dataSets.find(name);
    const errors = checkAlone(spec);
    if (view === null) throw unknownDataSet(name, errors);
    if (view.state === 'failed') {
      const expected = `a data set that is ready; its preparation failed: ${view.reason}`;
      errors.push({ field: '/data/dataSet', value: JSON.stringify(name), expected });
    }
    if (view.manifest !== null) errors.push(...checkAgainstDataSet(spec, view.manifest));
    if (errors.length > 0) throw invalid(errors);
    if (view.manifest === null) {
      return { reason: waitsFor(name), totalSteps: spec.training.steps ?? 0, totalEpochs: 0 };
    }
    return { reason: 'waits for its turn', ...totalsOf(spec, view.manifest) };
  }

  /** True when the job may go to the scheduler; otherwise its record says what it waits for, or failed. */
  async atTurn({ id, spec, progress, reason }: JobRecord): Promise<boolean> {
    const name = spec.data.dataSet;
    const view = await this.dataSets.find(name);
    if (view?.state === 'preparing') {
      const waits = waitsFor(name);
      if (reason !== waits) {
        await this.store.change(id, { from: ['pending'], fields: { reason: waits } });
      }
      return false;
    }
    const manifest = view?.manifest ?? null;
    if (manifest === null) {
      const why = view === null ? 'it is not registered' : `its preparation failed: ${view.reason}`;
      await this.refuse(id, `data set ${name} cannot be used: ${why}`);
      return false;
    }
    const errors = checkAgainstDataSet(spec, manifest);
    if (errors.length > 0) {
      await this.refuse(id, `the spec does not fit data set ${name}: ${describe(errors)}`);
      return false;
    }
    const totals = totalsOf(spec, manifest);
    if (progress.totalSteps !== totals.totalSteps || progress.totalEpochs !== totals.totalEpochs) {
      const fields = { progress: { ...progress, ...totals } };
      await this.store.change(id, { from: ['pending'], fields });
    }
    return true;
  }

  private async refuse(id: string, reason: string): Promise<void> {
    const record = await this.store.get(id);
    await this.store.change(id, {
      from: ['pending'],
      fields: { state: 'failed', reason, finishedAt: new Date().toISOString() },
      event: { type: 'state', state: 'failed', reason, attempt: record?.attempt ?? 0 },
    });
  }
}

function waitsFor(dataSet: string): string {
  return `waits for data set ${dataSet} to be prepared`;
}

function unknownDataSet(name: string, others: FieldError[]): HttpProblem {
  return new HttpProblem(
    'DATA_SET_UNKNOWN',
    `no data set ${name} is registered`,
    [
      { field: '/data/dataSet', value: JSON.stringify(name), expected: 'a registered data set' },
      ...others,
    ],
    {},
    { status: 422 },
  );
}

function describe(errors: readonly FieldError[]): string {
  return errors
    .map(({ field, value, expected }) => `${field} is ${value}, expected ${expected}`)
    .join('; ');
}
