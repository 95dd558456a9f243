export * from './files/limits.js';
export * from './files/source.js';
export * from './files/open-source.js';
export * from './files/prepare.js';
export * from './files/manifest.js';
export { loadSplit } from './files/load-shards.js';
export * from './files/shard-cache.js';
export type { FetchShard } from './files/shard-download.js';
