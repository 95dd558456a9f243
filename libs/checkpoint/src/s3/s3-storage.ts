import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { damaged } from '../checkpoint-error.js';
import { byNewest, directoryName, parseDirectoryName } from '../checkpoint-names.js';
import type { CheckpointName } from '../checkpoint-names.js';
import type { CheckpointFiles, CheckpointStorage } from '../storage.js';
import { MANIFEST_FILE } from '../stored-checkpoint.js';
import { isNotImplemented, isMissing, storageError } from './s3-errors.js';
import type { S3Options } from './s3-options.js';

/** Files above this size are sent in parts of it: at most 10,000, so at most 160 GB. */
const PART_BYTES = 16 * 1024 * 1024;
/** Parts under way at a time. */
const NUM_PARTS_IN_FLIGHT = 4;
/** What S3 takes in one request to delete. */
const MAX_DELETED = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 120_000;

/**
 * Checkpoints as objects `PREFIX/JOB_ID/step-STEP-aATTEMPT-gGENERATION/FILE`. The manifest is written
 * last and removed first: objects without one are no checkpoint. A file of several parts becomes an
 * object when its last part is there.
 */
export class S3Storage implements CheckpointStorage {
  private readonly client: S3Client;

  constructor(private readonly options: S3Options) {
    const { endpoint, region, credentials } = options;
    this.client = new S3Client({
      region,
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      ...(credentials === null ? {} : { credentials }),
      // Not every compatible server knows the newer checksums, and what is read is verified here.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
  }

  async cleanUp(): Promise<void> {
    await this.run('', async () => {
      await this.abortUploads();
      const keys = await this.keysBelow('');
      const whole = new Set(keys.filter(isManifest).map(directoryOf));
      await this.deleteAll(keys.filter((key) => !whole.has(directoryOf(key)) && isCheckpoint(key)));
    });
  }

  async list(jobId: string): Promise<CheckpointName[]> {
    return this.run(jobId, async () => {
      const keys = await this.keysBelow(`${jobId}/`);
      const names = keys.filter(isManifest).map((key) => key.split('/').at(-2) ?? '');
      return names.flatMap((name) => parseDirectoryName(name) ?? []).sort(byNewest);
    });
  }

  async write(jobId: string, name: CheckpointName, files: CheckpointFiles): Promise<void> {
    try {
      await this.remove(jobId, name);
      for (const [file, bytes] of files) await this.upload(keyOf(jobId, name, file), bytes);
    } catch (error) {
      await this.remove(jobId, name).catch(() => undefined);
      throw storageError(this.locate(jobId, name), error);
    }
  }

  async read(jobId: string, name: CheckpointName, file: string): Promise<Uint8Array> {
    const path = this.locate(jobId, name, file);
    try {
      const Key = this.fullKey(keyOf(jobId, name, file));
      const { Body } = await this.client.send(
        new GetObjectCommand({ Bucket: this.options.bucket, Key }),
      );
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (isMissing(error)) throw damaged(path, 'there is no such object', error);
      throw storageError(path, error);
    }
  }

  async remove(jobId: string, name: CheckpointName): Promise<void> {
    const directory = keyOf(jobId, name, '');
    await this.run(directory, async () => {
      const Key = this.fullKey(keyOf(jobId, name, MANIFEST_FILE));
      await this.client.send(new DeleteObjectCommand({ Bucket: this.options.bucket, Key }));
      await this.deleteAll(await this.keysBelow(directory));
    });
  }

  async removeAll(jobId: string): Promise<void> {
    await this.run(jobId, async () => {
      const keys = await this.keysBelow(`${jobId}/`);
      await this.deleteAll(keys.filter(isManifest));
      await this.deleteAll(keys.filter((key) => !isManifest(key)));
    });
  }

  locate(jobId: string, name: CheckpointName, file?: string): string {
    const key = this.fullKey(keyOf(jobId, name, file ?? ''));
    return `s3://${this.options.bucket}/${key.replace(/\/$/, '')}`;
  }

  close(): void {
    this.client.destroy();
  }

  private async upload(key: string, bytes: Uint8Array): Promise<void> {
    const params = { Bucket: this.options.bucket, Key: this.fullKey(key), Body: bytes };
    const { client } = this;
    await new Upload({
      client,
      params,
      partSize: PART_BYTES,
      queueSize: NUM_PARTS_IN_FLIGHT,
    }).done();
  }

  /** Keys without the prefix of all; `below` ends with a slash or is empty. */
  private async keysBelow(below: string): Promise<string[]> {
    const query = { Bucket: this.options.bucket, Prefix: this.fullKey(below) };
    const keys: string[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client: this.client }, query)) {
      for (const { Key } of Contents) {
        if (Key !== undefined) keys.push(Key.slice(this.fullKey('').length));
      }
    }
    return keys;
  }

  private async deleteAll(keys: readonly string[]): Promise<void> {
    for (let first = 0; first < keys.length; first += MAX_DELETED) {
      const part = keys.slice(first, first + MAX_DELETED);
      const { Errors = [] } = await this.client.send(
        new DeleteObjectsCommand({
          Bucket: this.options.bucket,
          Delete: { Objects: part.map((key) => ({ Key: this.fullKey(key) })), Quiet: true },
        }),
      );
      const [problem] = Errors;
      if (problem !== undefined) throw new Error(`${problem.Key}: ${problem.Code}`);
    }
  }

  /** Parts of uploads that were cut off cost money and are seen by no listing of objects. */
  private async abortUploads(): Promise<void> {
    const { bucket: Bucket } = this.options;
    const query = { Bucket, Prefix: this.fullKey('') };
    let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
    try {
      while (from !== null) {
        const page: ListMultipartUploadsCommandOutput = await this.client.send(
          new ListMultipartUploadsCommand({ ...query, ...from }),
        );
        for (const { Key, UploadId } of page.Uploads ?? []) {
          if (Key === undefined || !isCheckpoint(Key.slice(this.fullKey('').length))) continue;
          await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        }
        const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
        from =
          page.IsTruncated === true && KeyMarker !== undefined && UploadIdMarker !== undefined
            ? { KeyMarker, UploadIdMarker }
            : null;
      }
    } catch (error) {
      // A server that can't list them has to expire them by a rule of its own.
      if (!isNotImplemented(error)) throw error;
    }
  }

  private async run<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw storageError(`s3://${this.options.bucket}/${this.fullKey(what)}`, error);
    }
  }

  private fullKey(key: string): string {
    return this.options.prefix === '' ? key : `${this.options.prefix}/${key}`;
  }
}

function keyOf(jobId: string, name: CheckpointName, file: string): string {
  return `${jobId}/${directoryName(name)}/${file}`;
}

function directoryOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** Whether a key is of a checkpoint's file: nothing else below the prefix is ever touched. */
function isCheckpoint(key: string): boolean {
  const [, directory = '', file, ...more] = key.split('/');
  return file !== undefined && more.length === 0 && parseDirectoryName(directory) !== null;
}

function isManifest(key: string): boolean {
  return isCheckpoint(key) && key.endsWith(`/${MANIFEST_FILE}`);
}
