import {
  storedLedgerSchema,
  type LedgerEpoch,
  type LedgerSummary,
  type StoredLedger,
} from '@skipring/protocol';
import { StoreError } from './errors.js';

/** Replaces these parts of a ledger; an epoch that is null is removed. */
export interface LedgerUpdate {
  readonly summary: LedgerSummary;
  readonly epochs: ReadonlyMap<number, LedgerEpoch | null>;
}

const SUMMARY_FIELD = 'summary';

/** Fields of a hash: JSON by field, or false where it is to be removed. */
export function encodeLedger(update: LedgerUpdate | undefined): string {
  if (update === undefined) return '{}';
  const epochs = [...update.epochs].map(([epoch, entry]) => [
    String(epoch),
    entry === null ? false : JSON.stringify(entry),
  ]);
  return JSON.stringify({
    ...Object.fromEntries(epochs),
    [SUMMARY_FIELD]: JSON.stringify(update.summary),
  });
}

/** Throws STORE_CORRUPT naming the job. */
export function decodeLedger(id: string, fields: Readonly<Record<string, string>>): StoredLedger {
  try {
    const { [SUMMARY_FIELD]: summary = 'null', ...epochs } = fields;
    return storedLedgerSchema.parse({
      summary: JSON.parse(summary) as unknown,
      epochs: Object.values(epochs).map((json) => JSON.parse(json) as unknown),
    });
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `the ledger of job ${id} is not readable`, { cause });
  }
}
