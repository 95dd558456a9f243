/** IDX files carry no class names; these data sets are known by the SHA-256 of their labels. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  [
    // Fashion-MNIST, names as in its publication (Xiao, Rasul, Vollgraf, 2017), table 2.
    '657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7',
    [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
  ],
]);

/** Class names of a data set by the SHA-256 of its training labels, one byte a label. */
export function knownIdxClasses(labelsSha256: string): readonly string[] | undefined {
  return KNOWN.get(labelsSha256);
}
