import { checkpointViewSchema, type CheckpointView, type ExportFormat } from '@skipring/protocol';
import { ApiError } from '../errors.js';
import { Calls } from './calls.js';
import { list } from './requests.js';

const EXPORT_TIMEOUT_MS = 600_000;

/** What a job has trained. */
export class ModelCalls extends Calls {
  async checkpoints(id: string): Promise<CheckpointView[]> {
    const path = `/jobs/${encodeURIComponent(id)}/checkpoints`;
    return (await this.http.json(list(checkpointViewSchema), path)).items;
  }

  /** The trained model as a safetensors file. */
  model(id: string): Promise<ReadableStream<Uint8Array>> {
    return this.http.stream(`/jobs/${encodeURIComponent(id)}/model`);
  }

  /**
   * A file of the trained model in another form (see EXPORT_FILES). Waits while it is being made, for
   * at most ten minutes.
   */
  async modelFile(
    id: string,
    format: ExportFormat,
    file: string,
  ): Promise<ReadableStream<Uint8Array>> {
    const path = `/jobs/${encodeURIComponent(id)}/model/${format}/${file}`;
    const deadlineMs = Date.now() + EXPORT_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.http.stream(path);
      } catch (error) {
        const isPending = error instanceof ApiError && error.code === 'EXPORT_PENDING';
        if (!isPending || Date.now() > deadlineMs) throw error;
      }
    }
  }
}
