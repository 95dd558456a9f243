export { layersModel, type LayersModelFiles } from './export/layers-model.js';
export { savedModel } from './export/saved-model.js';
export { tensorShapes } from './export/trained-model.js';
export type { TrainedModel } from './export/trained-model.js';
