/** What steps are measured of: the job's model, and the name by which torch_models.py builds it. */
export const MODELS = {
  'ResNet-20': { spec: { family: 'resnet-cifar', depth: 20, shortcuts: true }, numClasses: 10 },
  'ResNet-50': {
    spec: { family: 'resnet', depth: 50, stem: 'imagenet', shortcuts: true },
    numClasses: 1000,
  },
  'DenseNet-BC-100-12': {
    spec: { family: 'densenet-cifar', depth: 100, growthRate: 12, bottleneck: true },
    numClasses: 10,
  },
  'ResNet-8': { spec: { family: 'resnet-cifar', depth: 8, shortcuts: true }, numClasses: 10 },
};
