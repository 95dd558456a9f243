import type { TrainableModel } from '@skipring/nn';
import type { Layer } from '@skipring/protocol';
import {
  EngineError,
  type ActivationStatistics,
  type ApplyInputs,
  type LaneBatch,
  type LayerNorms,
  type LayerProbe,
} from '@skipring/trainer';
import { DataType, type Output } from '../graph-def.js';
import type { Feed, GraphSession } from '../session/graph-session.js';

/** A forward pass of one batch size that yields statistics alone. */
export interface ActivationGraph {
  /** float32 [samples, h, w, c] */
  readonly images: Output;
  /** Chooses the masks of dropout, int32 scalar; null in a model without. */
  readonly seed: Output | null;
  /** float32 [layers] */
  readonly mean: Output;
  /** float32 [layers] */
  readonly variance: Output;
}

/** Norms of a reduced vector and of the parameters. */
export interface NormGraph {
  readonly reduced: Output;
  readonly scales: Output;
  /** float32 [layers] */
  readonly gradient: Output;
  /** float32 [layers] */
  readonly weight: Output;
}

/** What a compiled engine needs to look at its layers. */
export interface ProbeGraphs {
  readonly layers: readonly Layer[];
  /** By number of samples. */
  readonly activations: ReadonlyMap<number, ActivationGraph>;
  readonly norms: NormGraph;
}

export interface LayerProbeParts extends ProbeGraphs {
  readonly session: GraphSession;
  /** The engine's own checks and feeds of a batch and of a reduced vector. */
  readonly imagesFeed: (images: Output, batch: LaneBatch) => Feed;
  readonly vectorFeeds: (
    graph: NormGraph,
    reduced: Int32Array | Float32Array,
    inputs: Pick<ApplyInputs, 'totalWeight' | 'exponents'>,
  ) => Feed[];
}

/** Statistics from graphs that share variables with training, and nothing else. */
export class GraphLayerProbe implements LayerProbe {
  constructor(private readonly parts: LayerProbeParts) {}

  get layers(): readonly Layer[] {
    return this.parts.layers;
  }

  activations(batch: LaneBatch, seed: number): ActivationStatistics {
    const graph = this.parts.activations.get(batch.samples);
    if (graph === undefined) {
      throw new EngineError('BATCH_SIZE', `a probed lane has ${batch.samples} samples`);
    }
    const feeds = [this.parts.imagesFeed(graph.images, batch)];
    if (graph.seed !== null) {
      const values = Int32Array.of(seed);
      feeds.push({ output: graph.seed, dtype: DataType.int32, shape: [], values });
    }
    const [mean, variance] = this.run(feeds, [graph.mean, graph.variance]);
    return { mean, variance };
  }

  norms(
    reduced: Int32Array | Float32Array,
    inputs: Pick<ApplyInputs, 'totalWeight' | 'exponents'>,
  ): LayerNorms {
    const { norms, vectorFeeds } = this.parts;
    const feeds = vectorFeeds(norms, reduced, inputs);
    const [gradient, weight] = this.run(feeds, [norms.gradient, norms.weight]);
    return { gradient, weight };
  }

  private run(feeds: Feed[], outputs: [Output, Output]): [Float32Array, Float32Array] {
    const [first, second] = this.parts.session.run(feeds, outputs);
    if (!(first instanceof Float32Array) || !(second instanceof Float32Array)) {
      throw new EngineError('GRAPH_FAILED', 'the graph yielded no statistics');
    }
    return [first, second];
  }
}

/** The layers of a model that have parameters, in order, with the names of these. */
export function layersOf(model: TrainableModel): (Layer & { parameters: string[] })[] {
  return model.model.layers.flatMap((layer) => {
    const own = model.parameters.filter((parameter) => parameter.layer === layer.name);
    if (own.length === 0) return [];
    const numParameters = own.reduce((sum, { variable }) => sum + variable.size, 0);
    const parameters = own.map(({ name }) => name);
    return [{ name: layer.name, kind: kindOf(layer.getClassName()), numParameters, parameters }];
  });
}

function kindOf(className: string): Layer['kind'] {
  if (className.includes('Conv')) return 'convolution';
  if (className.includes('Normalization')) return 'normalization';
  return className === 'Dense' ? 'dense' : 'other';
}
