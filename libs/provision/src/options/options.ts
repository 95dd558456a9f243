/** The device that TensorFlow shall use; `auto` looks for an NVIDIA GPU. */
export type DeviceChoice = 'auto' | 'cpu' | 'gpu';

/** Where and how wheels are fetched. */
export interface IndexOptions {
  /** Simple-index URLs in the order in which they are asked, each ending in `/`. */
  readonly indexUrls: readonly string[];
  /** Local directories that may already hold the wheels (`PIP_FIND_LINKS`), for machines without network. */
  readonly wheelDirs: readonly string[];
  /** PEM bundles to trust beside the roots that Node.js carries; files that are absent are skipped. */
  readonly caFiles: readonly string[];
  /** Proxy for `https:` URLs, such as `http://user:password@proxy:3128`. */
  readonly proxyUrl?: string;
  /** Host suffixes that are reached without the proxy; `*` means every host. */
  readonly noProxy: readonly string[];
  /** A transfer that brings no byte for this long is broken off and resumed. */
  readonly stallMs: number;
  /** Attempts in a row without progress before a download is given up. */
  readonly maxAttempts: number;
  /** Delay before the second attempt; doubled for each further one, with jitter. */
  readonly backoffMs: number;
}

/** Everything that provisioning needs to know. Frozen; made by `optionsFromEnvironment`. */
export interface ProvisionOptions {
  /** Directory for downloads, unpacked wheels and the built binding. */
  readonly cacheDir: string;
  /** Directory whose `node_modules` holds `@tensorflow/tfjs-node-gpu`. */
  readonly packageRoot: string;
  readonly device: DeviceChoice;
  readonly index: IndexOptions;
  /** Directories searched for programs (`PATH`), in order. */
  readonly searchPath: readonly string[];
  /** Whether a C++ compiler of the machine may be used; otherwise the provisioned one builds the binding. */
  readonly useSystemCompiler: boolean;
}
