import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '@skipring/trainer';
import type { Binding, TensorValues } from '../binding.js';
import type { Graph, Output } from '../graph-def.js';
import { SERVE_TAG, serialiseSavedModel } from './serialise.js';

/** A value that a run is given. */
export interface Feed {
  readonly output: Output;
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** A graph loaded into TensorFlow, with the variables that live in it. Calls block their thread. */
export class GraphSession {
  private constructor(
    private readonly binding: Binding,
    private readonly id: number,
  ) {}

  /** Throws EngineError GRAPH_INVALID with TensorFlow's own words. */
  static load(binding: Binding, graph: Graph): GraphSession {
    const directory = mkdtempSync(join(tmpdir(), 'skipring-graph-'));
    try {
      writeFileSync(join(directory, 'saved_model.pb'), serialiseSavedModel(graph));
      return new GraphSession(binding, binding.loadSavedModel(directory, SERVE_TAG));
    } catch (cause) {
      throw new EngineError('GRAPH_INVALID', `TensorFlow refuses the graph: ${words(cause)}`, {
        cause,
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Runs what the outputs need; each in an array of its own. Throws EngineError GRAPH_FAILED. */
  run(feeds: readonly Feed[], outputs: readonly Output[]): TensorValues[] {
    const { binding } = this;
    const inputIds: number[] = [];
    try {
      for (const { shape, dtype, values } of feeds) {
        inputIds.push(binding.createTensor(shape, dtype, values));
      }
      const names = feeds.map(({ output }) => output).join(',');
      const results = binding.runSavedModel(this.id, inputIds, names, outputs.join(','));
      return results.map(({ id }) => {
        const values = binding.tensorDataSync(id);
        binding.deleteTensor(id);
        return values;
      });
    } catch (cause) {
      throw new EngineError('GRAPH_FAILED', `TensorFlow failed: ${words(cause)}`, { cause });
    } finally {
      for (const id of inputIds) binding.deleteTensor(id);
    }
  }

  dispose(): void {
    this.binding.deleteSavedModel(this.id);
  }
}

function words(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
