/** Topology of a network of dense layers: little to compute for each of its parameters. */
export function perceptron(units, numClasses) {
  const layers = [
    { name: 'images', class_name: 'InputLayer' },
    { name: 'flat', class_name: 'Flatten' },
    { name: 'hidden', class_name: 'Dense', units, activation: 'relu' },
    { name: 'logits', class_name: 'Dense', units: numClasses },
  ];
  return {
    class_name: 'Model',
    config: {
      name: 'perceptron',
      layers: layers.map(({ class_name, ...config }, index) => ({
        class_name,
        config,
        inbound_nodes: index === 0 ? [] : [[[layers[index - 1].name, 0, 0, {}]]],
      })),
      input_layers: [['images', 0, 0]],
      output_layers: [['logits', 0, 0]],
    },
  };
}
