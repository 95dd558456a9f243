import type { ModelCard } from '@skipring/protocol';
import { EngineError } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { DataType } from '../graph-def.js';
import { GraphSession } from '../session/graph-session.js';
import { nodeBackend } from '../tensorflow.js';
import { inferenceGraph } from './saved-model.js';
import type { TrainedModel } from './trained-model.js';

/** A decoded image: uint8 pixels, HWC. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/** Weights of red, green and blue in a gray pixel (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114];

/** Classifies pictures of any size by a trained model. TensorFlow must be loaded. */
export class Predictor {
  private constructor(
    private readonly session: GraphSession,
    private readonly card: ModelCard,
  ) {}

  /** Throws EngineError EXPORT_UNSUPPORTED, EXPORT_FAILED or GRAPH_INVALID. */
  static of(trained: TrainedModel): Predictor {
    const { nodes } = inferenceGraph(trained);
    return new Predictor(GraphSession.load(nodeBackend().binding, nodes), trained.card);
  }

  /** Probabilities of the classes for each picture, which is scaled to the model's size. */
  predict(pictures: readonly Picture[]): Float32Array[] {
    const { height, width, channels } = this.card.image;
    const size = height * width * channels;
    const values = new Float32Array(pictures.length * size);
    pictures.forEach((picture, index) => {
      values.set(fitted(picture, this.card.image), index * size);
    });
    const shape = [pictures.length, height, width, channels];
    const feed = { output: 'images:0', dtype: DataType.float32, shape, values };
    const [probabilities] = this.session.run([feed], ['probabilities:0']);
    if (!(probabilities instanceof Float32Array)) {
      throw new EngineError('GRAPH_FAILED', 'the graph yielded no probabilities');
    }
    const numClasses = this.card.classes.length;
    return pictures.map((_, index) =>
      probabilities.slice(index * numClasses, (index + 1) * numClasses),
    );
  }

  dispose(): void {
    this.session.dispose();
  }
}

/** Pixel values from 0 to 255 in the model's channels and size, scaled bilinearly where they differ. */
function fitted(picture: Picture, image: ModelCard['image']): Float32Array {
  const { height, width, channels } = image;
  return tf.tidy(() => {
    const shape: [number, number, number] = [picture.height, picture.width, picture.channels];
    const given = tf.tensor3d(Float32Array.from(picture.pixels), shape);
    const coloured =
      picture.channels === channels
        ? given
        : channels === 1
          ? given.mul<tf.Tensor3D>(tf.tensor1d(LUMA)).sum<tf.Tensor3D>(2, true)
          : given.tile<tf.Tensor3D>([1, 1, 3]);
    if (picture.height === height && picture.width === width) return coloured.dataSync<'float32'>();
    const batch = coloured.expandDims<tf.Tensor4D>(0);
    return tf.image.resizeBilinear(batch, [height, width], false, true).dataSync<'float32'>();
  });
}
