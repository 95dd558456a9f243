/** A point in glyph space: the glyph fills about [-8, 8] in both directions, y downwards. */
export type Point = readonly [x: number, y: number];

/** One class of the generated data set: polylines drawn with a round pen. */
export interface Glyph {
  readonly name: string;
  readonly polylines: readonly (readonly Point[])[];
}

/** The classes, in label order. Several differ by one stroke or by handedness only. */
export const GLYPHS: readonly Glyph[] = [
  {
    name: 'corner',
    polylines: [
      [
        [-5, -8],
        [-5, 8],
        [6, 8],
      ],
    ],
  },
  {
    name: 'tee',
    polylines: [
      [
        [-7, -8],
        [7, -8],
      ],
      [
        [0, -8],
        [0, 8],
      ],
    ],
  },
  {
    name: 'plus',
    polylines: [
      [
        [-8, 0],
        [8, 0],
      ],
      [
        [0, -8],
        [0, 8],
      ],
    ],
  },
  {
    name: 'fork',
    polylines: [
      [
        [-7, -8],
        [0, 0],
        [7, -8],
      ],
      [
        [0, 0],
        [0, 8],
      ],
    ],
  },
  {
    name: 'triangle',
    polylines: [
      [
        [0, -8],
        [8, 7],
        [-8, 7],
        [0, -8],
      ],
    ],
  },
  {
    name: 'square',
    polylines: [
      [
        [-7, -7],
        [7, -7],
        [7, 7],
        [-7, 7],
        [-7, -7],
      ],
    ],
  },
  {
    name: 'cup',
    polylines: [
      [
        [-7, -8],
        [-7, 7],
        [7, 7],
        [7, -8],
      ],
    ],
  },
  {
    name: 'zigzag',
    polylines: [
      [
        [-7, -8],
        [7, -8],
        [-7, 8],
        [7, 8],
      ],
    ],
  },
  {
    name: 'mirrored-zigzag',
    polylines: [
      [
        [7, -8],
        [-7, -8],
        [7, 8],
        [-7, 8],
      ],
    ],
  },
  {
    name: 'ladder',
    polylines: [
      [
        [-6, -8],
        [-6, 8],
      ],
      [
        [6, -8],
        [6, 8],
      ],
      [
        [-6, 0],
        [6, 0],
      ],
    ],
  },
  {
    name: 'flag',
    polylines: [
      [
        [-5, 8],
        [-5, -8],
        [7, -8],
        [7, 0],
        [-5, 0],
      ],
    ],
  },
  {
    name: 'comb',
    polylines: [
      [
        [7, -8],
        [-6, -8],
        [-6, 8],
        [7, 8],
      ],
      [
        [-6, 0],
        [5, 0],
      ],
    ],
  },
];
