import { parentPort, workerData } from 'node:worker_threads';
import { DataError } from '@skipring/data';
import { manifestHash, prepareDataSet } from '@skipring/data/files';
import type { DataSetManifest, DataSetRegistration } from '@skipring/protocol';

/** What the thread is started with. */
export interface PrepareThreadData {
  readonly registration: DataSetRegistration;
  /** Must not exist yet. */
  readonly outDir: string;
}

/** The only message of the thread, which ends after it. */
export type PrepareThreadMessage =
  | { readonly kind: 'prepared'; readonly manifest: DataSetManifest; readonly hash: string }
  /** `reason` is for people; null when the fault is not the data's. */
  | { readonly kind: 'failed'; readonly reason: string | null; readonly message: string };

const { registration, outDir } = workerData as PrepareThreadData;
const post = (message: PrepareThreadMessage): void => {
  parentPort?.postMessage(message);
};

try {
  const manifest = await prepareDataSet(registration, outDir);
  post({ kind: 'prepared', manifest, hash: manifestHash(manifest) });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const reason = error instanceof DataError ? `${error.code}: ${message}` : null;
  post({ kind: 'failed', reason, message });
}
