/** What a reader takes before it refuses: bounds against damaged or hostile files. */
export interface ReadLimits {
  /** Pixels and labels of one split, decompressed. */
  readonly splitBytes: number;
  /** Samples in one split. */
  readonly samples: number;
  /** Side of an image in pixels. */
  readonly side: number;
  /** Class directories, or names in a class file. */
  readonly classes: number;
}

export const DEFAULT_LIMITS: ReadLimits = {
  splitBytes: 64 * 2 ** 30,
  samples: 2 ** 28,
  side: 4096,
  classes: 65_535,
};
