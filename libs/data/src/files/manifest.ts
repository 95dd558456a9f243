import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataSetManifestSchema, type DataSetManifest, type SplitName } from '@skipring/protocol';
import { DataError } from '../error.js';
import { recordBytes } from '../samples/geometry.js';
import { canonicalJson } from './canonical-json.js';

export const MANIFEST_FILE = 'manifest.json';

/** Identity of a prepared data set: SHA-256 (hexadecimal) of the manifest's canonical JSON. */
export function manifestHash(manifest: DataSetManifest): string {
  return createHash('sha256').update(canonicalJson(manifest)).digest('hex');
}

/**
 * Reads and checks the manifest of a prepared data set.
 *
 * @throws DataError NOT_FOUND, INVALID_MANIFEST
 */
export async function readManifest(directory: string): Promise<DataSetManifest> {
  const file = join(directory, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new DataError(
      'NOT_FOUND',
      'expected the manifest of a data set',
      { file },
      { cause: error },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError('INVALID_MANIFEST', 'is not JSON', { file }, { cause: error });
  }
  return parseManifest(json, file);
}

/**
 * Checks a manifest from anywhere: its schema, and that its counts fit each other.
 *
 * @throws DataError INVALID_MANIFEST
 */
export function parseManifest(json: unknown, file?: string): DataSetManifest {
  const place = file === undefined ? {} : { file };
  const parsed = dataSetManifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') ?? '';
    throw new DataError('INVALID_MANIFEST', `${field}: ${issue?.message ?? 'invalid'}`, place);
  }
  const manifest = parsed.data;
  for (const problem of inconsistencies(manifest)) {
    throw new DataError('INVALID_MANIFEST', problem, place);
  }
  return manifest;
}

function* inconsistencies(manifest: DataSetManifest): Generator<string> {
  const { channels, mean, standardDeviation } = manifest;
  if (mean.length !== channels) yield `mean: expected ${channels} values`;
  if (standardDeviation.length !== channels) yield `standardDeviation: expected ${channels} values`;
  yield* splitInconsistencies(manifest, 'train');
  yield* splitInconsistencies(manifest, 'test');
}

function* splitInconsistencies(manifest: DataSetManifest, name: SplitName): Generator<string> {
  const split = manifest.splits[name];
  let samples = 0;
  for (const [index, shard] of split.shards.entries()) {
    const field = `splits.${name}.shards.${index}`;
    if (!shard.file.startsWith(name)) yield `${field}.file: expected a file of ${name}`;
    if (shard.firstSample !== samples) yield `${field}.firstSample: expected ${samples}`;
    const bytes = shard.samples * recordBytes(manifest);
    if (shard.bytes !== bytes) yield `${field}.bytes: expected ${bytes}`;
    samples += shard.samples;
  }
  if (split.samples !== samples) yield `splits.${name}.samples: expected ${samples}`;
}
