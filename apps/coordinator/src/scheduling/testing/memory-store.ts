import { jobSpecSchema, type JobState, type StoredLedger } from '@skipring/protocol';
import {
  StoreError,
  type ChangeResult,
  type JobChange,
  type JobRecord,
  type LayerEntry,
} from '@skipring/redis';
import { newRecord } from '../../jobs/job-view.js';
import type { JobStore } from '../ports.js';

export type StoreCall = 'get' | 'change' | 'nextAttempt' | 'idsIn' | 'ledger';

/** The run store's contract in memory, where a test decides when a call is carried out. */
export class MemoryStore implements JobStore {
  readonly records = new Map<string, JobRecord>();
  /** Changes that were carried out, in order. */
  readonly changes: { readonly id: string; readonly change: JobChange }[] = [];
  isAway = false;
  /** Every call waits for what this returns. */
  gate: (call: StoreCall) => Promise<void> = () => Promise.resolve();
  private readonly attempts = new Map<string, number>();

  add(id: string, changes: Partial<JobRecord> = {}): JobRecord {
    const totals = { totalSteps: 10, totalEpochs: 1 };
    const record = {
      ...newRecord(id, { spec: testSpec, owner: 'root', reason: 'submitted', totals }),
      ...changes,
    };
    this.records.set(id, record);
    this.attempts.set(id, record.attempt);
    return record;
  }

  async get(id: string): Promise<JobRecord | null> {
    await this.enter('get');
    return this.records.get(id) ?? null;
  }

  async change(id: string, change: JobChange): Promise<ChangeResult> {
    await this.enter('change');
    const record = this.records.get(id);
    if (record === undefined) return { outcome: 'missing' };
    const isOfAttempt = change.attempt === undefined || change.attempt === record.attempt;
    if (!isOfAttempt || change.from?.includes(record.state) === false) {
      return { outcome: 'refused', state: record.state };
    }
    this.records.set(id, { ...record, ...change.fields });
    this.changes.push({ id, change });
    return { outcome: 'done', event: null };
  }

  /** Layer statistics that were stored, in order. */
  readonly layerEntries: { readonly id: string; readonly entry: LayerEntry }[] = [];

  async nextAttempt(id: string): Promise<number> {
    await this.enter('nextAttempt');
    const attempt = (this.attempts.get(id) ?? 0) + 1;
    this.attempts.set(id, attempt);
    return attempt;
  }

  readonly index = {
    idsIn: async (state: JobState): Promise<string[]> => {
      await this.enter('idsIn');
      return [...this.records.values()].filter((job) => job.state === state).map(({ id }) => id);
    },
  };

  readonly histories = {
    addLayers: async (id: string, entry: LayerEntry): Promise<void> => {
      await this.enter('change');
      this.layerEntries.push({ id, entry });
    },
    ledger: async (id: string): Promise<StoredLedger | null> => {
      await this.enter('ledger');
      return this.ledgerOf(id);
    },
  };

  private ledgerOf(id: string): StoredLedger | null {
    const updates = this.changes.flatMap(({ id: changed, change }) =>
      changed === id && change.ledger !== undefined ? [change.ledger] : [],
    );
    const last = updates.at(-1);
    if (last === undefined) return null;
    const epochs = new Map(updates.flatMap((update) => [...update.epochs]));
    return {
      summary: last.summary,
      epochs: [...epochs.values()].filter((entry) => entry !== null),
    };
  }

  /** States that a job went through. */
  statesOf(id: string): JobState[] {
    return this.changes.flatMap(({ id: changed, change }) =>
      changed === id && change.fields?.state !== undefined ? [change.fields.state] : [],
    );
  }

  private async enter(call: StoreCall): Promise<void> {
    await this.gate(call);
    if (this.isAway) throw new StoreError('STORE_UNAVAILABLE', 'the store is away');
  }
}

export const testSpec = jobSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'test',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: 'tiny' },
  training: { steps: 10 },
  lanes: { count: 2, size: 4 },
  retries: { limit: 1, backoffMs: 500 },
});

/** A promise that a test resolves. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
