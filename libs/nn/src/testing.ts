export { layerZoo, topologyOf, ZOO_CLASSES, ZOO_INPUT } from './testing/layer-zoo.js';
