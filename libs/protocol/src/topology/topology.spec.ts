import { describe, expect, it } from 'vitest';
import { fieldErrors } from '../field-errors.js';
import { modelSpecSchema } from '../model-spec.js';
import { checkTopology } from './check-topology.js';
import { topologySchema, type Topology } from './topology.js';

interface Layer {
  class_name: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
}

const from = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])];

function residual(): { class_name: string; config: Record<string, unknown> & { layers: Layer[] } } {
  return {
    class_name: 'Model',
    config: {
      name: 'residual',
      layers: [
        {
          class_name: 'InputLayer',
          config: { name: 'images', batch_input_shape: [null, 8, 8, 3], dtype: 'float32' },
          inbound_nodes: [],
        },
        {
          class_name: 'Conv2D',
          config: { name: 'conv', filters: 3, kernel_size: [3, 3], padding: 'same' },
          inbound_nodes: from('images'),
        },
        { class_name: 'Add', config: { name: 'sum' }, inbound_nodes: from('images', 'conv') },
        { class_name: 'Flatten', config: { name: 'flat' }, inbound_nodes: from('sum') },
        { class_name: 'Dense', config: { name: 'top', units: 5 }, inbound_nodes: from('flat') },
      ],
      input_layers: [['images', 0, 0]],
      output_layers: [['top', 0, 0]],
    },
  };
}

/** What is told about a topology with `change` made to it, as `field: expected`. */
function told(change: (topology: ReturnType<typeof residual>) => void): string[] {
  const topology = residual();
  change(topology);
  const spec = { family: 'layers', topology };
  const issues = modelSpecSchema.safeParse(spec).error?.issues ?? [];
  return fieldErrors(issues, spec).map(({ field, expected }) => `${field}: ${expected}`);
}

const layers = '/topology/config/layers';

describe('a topology', () => {
  it('may be functional or sequential, of TensorFlow.js or Keras', () => {
    expect(told(() => undefined)).toEqual([]);
    const keras = residual();
    keras.class_name = 'Functional';
    keras.config.input_layers = ['images', 0, 0];
    keras.config.output_layers = ['top', 0, 0];
    expect(topologySchema.safeParse(keras).error).toBeUndefined();
    const sequential = { class_name: 'Sequential', config: { layers: [dense('a'), dense('b')] } };
    expect(topologySchema.safeParse(sequential).error).toBeUndefined();
  });

  it('reads its own output as the same', () => {
    const once = topologySchema.parse(residual());
    expect(topologySchema.parse(once)).toEqual(once);
  });

  it.each([
    ['a Lambda', 'Lambda', `${layers}/1/class_name: one of "InputLayer", "Conv2D"`],
    ['a layer of its own', 'MyLayer', `${layers}/1/class_name: one of "InputLayer", "Conv2D"`],
  ])('is refused with %s', (_, className, expected) => {
    const errors = told(({ config }) => (config.layers[1]!.class_name = className));
    expect(errors[0]).toContain(expected);
  });

  it.each<[string, (topology: ReturnType<typeof residual>) => void, string]>([
    [
      'an unknown field',
      ({ config }) => (config.layers[1]!.config.code = 'x'),
      `${layers}/1/config/code: no such field`,
    ],
    [
      'too many filters',
      ({ config }) => (config.layers[1]!.config.filters = 1e6),
      `${layers}/1/config/filters: at most 65536`,
    ],
    [
      'a regularizer',
      ({ config }) => (config.layers[1]!.config.kernel_regularizer = { class_name: 'L1L2' }),
      `${layers}/1/config/kernel_regularizer: a null`,
    ],
    [
      'channels first',
      ({ config }) => (config.layers[1]!.config.data_format = 'channels_first'),
      `${layers}/1/config/data_format: "channels_last"`,
    ],
    [
      'a name twice',
      ({ config }) => (config.layers[2]!.config.name = 'conv'),
      `${layers}/2/config/name: a name that no other layer has`,
    ],
    [
      'a name of the optimizer',
      ({ config }) => (config.layers[2]!.config.name = 'optimizer/velocity'),
      `${layers}/2/config/name: a name that does not begin with`,
    ],
    [
      'an input that comes later',
      ({ config }) => (config.layers[1]!.inbound_nodes = from('flat')),
      `${layers}/1/inbound_nodes/0/0/0: the name of a layer before this one`,
    ],
    [
      'a layer called twice',
      ({ config }) => (config.layers[1]!.inbound_nodes = [...from('images'), ...from('images')]),
      `${layers}/1/inbound_nodes: at most 1 items`,
    ],
    [
      'two inputs',
      ({ config }) => (config.input_layers = [['images', 0, 0], ['more', 0, 0]]), // prettier-ignore
      '/topology/config/input_layers: ',
    ],
    [
      'two outputs',
      ({ config }) => (config.output_layers = [['top', 0, 0], ['flat', 0, 0]]), // prettier-ignore
      '/topology/config/output_layers: ',
    ],
    [
      'a second input layer',
      ({ config }) =>
        config.layers.splice(1, 0, {
          class_name: 'InputLayer',
          config: { name: 'more' },
        }),
      `${layers}/1/class_name: one InputLayer, as the first layer`,
    ],
    [
      'a layer that leads nowhere',
      ({ config }) => (config.layers[2]!.inbound_nodes = from('images', 'images')),
      `${layers}/1: a layer that the output depends on`,
    ],
    [
      'a sum of one',
      ({ config }) => (config.layers[2]!.inbound_nodes = from('conv')),
      `${layers}/2/inbound_nodes/0: at least two inputs`,
    ],
    [
      'arguments of a call',
      ({ config }) => (config.layers[1]!.inbound_nodes = [[['images', 0, 0, { mask: 1 }]]]),
      `${layers}/1/inbound_nodes/0/0/3/mask: no such field`,
    ],
    ['no layers', ({ config }) => (config.layers = []), `${layers}: at least 1 items`],
  ])('is refused with %s', (_, change, expected) => {
    const errors = told(change);
    expect(
      errors.some((error) => error.startsWith(expected)),
      errors.join('\n'),
    ).toBe(true);
  });
});

function dense(name: string, units = 5): Layer {
  return { class_name: 'Dense', config: { name, units } };
}

describe('the layers of a topology', () => {
  const check = (change: (topology: ReturnType<typeof residual>) => void, images = [8, 8, 3]) => {
    const topology = residual();
    change(topology);
    return checkTopology(topologySchema.parse(topology), images, 5).map(
      ({ path, expected }) => `${path.join('.')}: ${expected}`,
    );
  };

  it('fit', () => {
    expect(check(() => undefined)).toEqual([]);
  });

  it.each<[string, (topology: ReturnType<typeof residual>) => void, string]>([
    [
      'the number of classes',
      ({ config }) => (config.layers[4]!.config.units = 7),
      'config.layers.4.config.units: an output of [5], the classes of the data set; layer top yields [7]',
    ],
    [
      'shapes of a sum',
      ({ config }) => (config.layers[1]!.config.filters = 4),
      'config.layers.2.inbound_nodes: inputs of one shape, not [8, 8, 3] and [8, 8, 4] (layer sum, Add)',
    ],
    [
      'a kernel larger than its input',
      ({ config }) => Object.assign(config.layers[1]!.config, { kernel_size: 9, padding: 'valid' }),
      'config.layers.1.inbound_nodes: an input of at least 9 x 9, not 8 x 8 (layer conv, Conv2D)',
    ],
    [
      'a convolution of a vector',
      ({ config }) =>
        Object.assign(config.layers[4]!, {
          class_name: 'GlobalMaxPooling2D',
          config: { name: 'top' },
        }),
      'config.layers.4.inbound_nodes: [height, width, channels], not [192] (layer top, ' +
        'GlobalMaxPooling2D)',
    ],
    [
      'the number of parameters',
      ({ config }) =>
        config.layers.splice(
          4,
          1,
          { ...dense('wide', 65_536), inbound_nodes: from('flat') },
          { ...dense('wider', 65_536), inbound_nodes: from('wide') },
          { ...dense('top'), inbound_nodes: from('wider') },
        ),
      'config.layers: at most 268435456 parameters',
    ],
  ])('are refused for %s', (_, change, expected) => {
    const errors = check(change);
    expect(
      errors.some((error) => error.startsWith(expected)),
      errors.join('\n'),
    ).toBe(true);
  });

  it('are refused for other images than they declare', () => {
    expect(check(() => undefined, [28, 28, 3])).toEqual([
      'config.layers.0.config.batch_input_shape: [null, 28, 28, 3], the shape of the images, or none',
    ]);
  });

  it('may have 2,000 layers and no more', () => {
    const chain = (numLayers: number): unknown => ({
      class_name: 'Sequential',
      config: {
        layers: Array.from({ length: numLayers }, (_, index) => ({
          class_name: 'Activation',
          config: { name: `a${index}`, activation: 'relu' },
        })),
      },
    });
    const topology: Topology = topologySchema.parse(chain(2_000));
    expect(checkTopology(topology, [5], 5).map(({ expected }) => expected)).toEqual([
      'at least one layer with parameters',
    ]);
    expect(topologySchema.safeParse(chain(2_001)).error?.issues[0]?.code).toBe('too_big');
  });
});
