import { randomUUID } from 'node:crypto';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoints } from '../checkpoints.js';
import { checkpointsConformance, type Place } from '../testing/conformance.js';
import { startS3Server, type S3Server } from '../testing/s3-server.js';
import { isNotImplemented } from './s3-errors.js';
import { parseS3Url, type S3Options } from './s3-options.js';
import { S3Storage } from './s3-storage.js';

/** An S3 server to test with in place of the one of this process; its bucket `skipring` is there. */
const ENDPOINT = process.env.SKIPRING_TEST_S3_ENDPOINT;
const BUCKET = 'skipring';
const credentials = {
  accessKeyId: process.env.SKIPRING_TEST_S3_ACCESS_KEY_ID ?? 'S3RVER',
  secretAccessKey: process.env.SKIPRING_TEST_S3_SECRET_ACCESS_KEY ?? 'S3RVER',
};

let server: S3Server | null = null;
let endpoint = '';
let client: S3Client;

beforeAll(async () => {
  server = ENDPOINT === undefined ? await startS3Server(BUCKET) : null;
  endpoint = ENDPOINT ?? server?.endpoint ?? '';
  client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
});
afterAll(async () => {
  client.destroy();
  await server?.stop();
});

function optionsOf(prefix: string): S3Options {
  return { bucket: BUCKET, prefix, endpoint, region: 'us-east-1', credentials };
}

function s3Place(): Promise<Place> {
  const prefix = `place-${randomUUID()}/checkpoints`;
  const at = (path: string) => ({ Bucket: BUCKET, Key: `${prefix}/${path}` });
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    await client.send(new PutObjectCommand({ ...at(path), Body: bytes }));
  };
  return Promise.resolve({
    open: () => new S3Storage(optionsOf(prefix)),
    paths: async () => {
      const listed = await client.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `${prefix}/` }),
      );
      return (listed.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length + 1));
    },
    read: async (path) => {
      const { Body } = await client.send(new GetObjectCommand(at(path)));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    write: put,
    remove: async (path) => {
      await client.send(new DeleteObjectCommand(at(path)));
    },
    leaveHalf: (jobId) =>
      put(`${jobId}/step-0000000099-a1-g1/model.safetensors`, Buffer.from('half')),
    close: () => Promise.resolve(),
  });
}

describe('checkpoints in an object store', () => {
  checkpointsConformance(s3Place);

  it('touch no object that is not theirs', async () => {
    const place = await s3Place();
    const others = ['notes.txt', 'job/notes.txt', 'job/step-0000000001-a1-g1/more/notes.txt'];
    for (const path of others) await place.write(path, Buffer.from('mine'));
    const store = await Checkpoints.open(place.open());
    store.close();
    expect((await place.paths()).sort()).toEqual([...others].sort());
  });

  it('clean up the parts of an upload that was cut off, where the server can list them', async () => {
    const prefix = `place-${randomUUID()}`;
    const Key = `${prefix}/job/step-0000000001-a1-g1/model.safetensors`;
    const list = async (): Promise<string[] | null> => {
      try {
        const query = new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: `${prefix}/` });
        return ((await client.send(query)).Uploads ?? []).map((upload) => upload.Key ?? '');
      } catch (error) {
        if (isNotImplemented(error)) return null;
        throw error;
      }
    };
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    const before = await list();
    const store = await Checkpoints.open(new S3Storage(optionsOf(prefix)));
    store.close();
    if (before === null) return;
    expect(before).toEqual([Key]);
    expect(await list()).toEqual([]);
  });

  it('tell of a bucket that is not there, and of a server that does not answer', async () => {
    const absent = new S3Storage({ ...optionsOf('p'), bucket: 'absent-bucket' });
    await expect(absent.list('job')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('s3://absent-bucket/p/job: NoSuchBucket') as string,
    });
    const silent = new S3Storage({ ...optionsOf('p'), endpoint: 'http://127.0.0.1:1' });
    await expect(silent.list('job')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    absent.close();
    silent.close();
  });
});

describe('parseS3Url', () => {
  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://my.bucket-1/', 'my.bucket-1', ''],
    ['s3://bucket/a//b/', 'bucket', 'a/b'],
  ])('%s', (url, bucket, prefix) => {
    expect(parseS3Url(url)).toEqual({ bucket, prefix });
  });

  it.each(['s3://', 's3:///x', 'http://bucket/x', 's3://UPPER/x', 's3://bucket/a b', '/path'])(
    'refuses %j',
    (url) => {
      expect(() => parseS3Url(url)).toThrow('expected s3://BUCKET/PREFIX');
    },
  );
});
