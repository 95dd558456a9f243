import { CheckpointError } from '../checkpoint-error.js';

/** Where in an S3-compatible object store checkpoints lie, and how it is reached. */
export interface S3Options {
  readonly bucket: string;
  /** Begins every key, without slashes at its ends; empty: none. */
  readonly prefix: string;
  /** URL of a server other than that of AWS; null: that of AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: the default chain of the AWS SDK (environment, profile, container or instance role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** Takes `s3://BUCKET/PREFIX` apart. Throws CheckpointError INVALID_LOCATION. */
export function parseS3Url(url: string): Pick<S3Options, 'bucket' | 'prefix'> {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/.exec(url);
  const [, bucket, path = ''] = match ?? [];
  if (bucket === undefined) {
    throw new CheckpointError(
      'INVALID_LOCATION',
      `${JSON.stringify(url.slice(0, 200))} is no place for checkpoints; expected s3://BUCKET/PREFIX`,
    );
  }
  return { bucket, prefix: path.split('/').filter(Boolean).join('/') };
}
