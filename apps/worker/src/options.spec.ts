import { describe, expect, it } from 'vitest';
import { OptionsError, readOptions } from './options.js';

describe('readOptions', () => {
  it('fills in defaults and freezes', () => {
    const options = readOptions({});
    expect(options).toMatchObject({
      coordinatorUrl: 'http://127.0.0.1:7400',
      joinToken: null,
      threads: 1,
      tf32: true,
      ringLocalSockets: true,
      ringSharedMemory: true,
      device: 'auto',
      tracing: null,
      parentPipe: false,
    });
    expect(options.workerId).toMatch(/^[A-Za-z0-9._-]+$/);
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('turns TF32 off', () => {
    expect(readOptions({ SKIPRING_WORKER_TF32: '0' }).tf32).toBe(false);
    expect(() => readOptions({ SKIPRING_WORKER_TF32: 'no' })).toThrow('SKIPRING_WORKER_TF32="no"');
  });

  it('turns local sockets off', () => {
    expect(readOptions({ SKIPRING_RING_LOCAL_SOCKETS: '0' }).ringLocalSockets).toBe(false);
    expect(readOptions({ SKIPRING_RING_SHARED_MEMORY: '0' }).ringSharedMemory).toBe(false);
    expect(() => readOptions({ SKIPRING_RING_LOCAL_SOCKETS: 'no' })).toThrow(
      'SKIPRING_RING_LOCAL_SOCKETS="no"',
    );
  });

  it('takes the files of TLS all together or not at all', () => {
    expect(readOptions({}).ringTls).toBeNull();
    const files = { SKIPRING_RING_TLS_CERT: 'c.pem', SKIPRING_RING_TLS_KEY: 'k.pem' };
    expect(readOptions({ ...files, SKIPRING_RING_TLS_CA: 'a.pem' }).ringTls).toEqual({
      cert: 'c.pem',
      key: 'k.pem',
      ca: 'a.pem',
    });
    expect(() => readOptions(files)).toThrow('SKIPRING_RING_TLS_CA=null: expected a file');
  });

  it('names every variable that is wrong, with its value', () => {
    const read = () =>
      readOptions({
        SKIPRING_COORDINATOR_URL: 'ftp://x',
        SKIPRING_WORKER_THREADS: '0',
        SKIPRING_WORKER_ID: 'a b',
        SKIPRING_DEVICE: 'tpu',
        SKIPRING_WORKER_RING_PORT: '70000',
      });
    expect(read).toThrow(OptionsError);
    try {
      read();
    } catch (error) {
      const { problems } = error as OptionsError;
      expect(problems).toHaveLength(5);
      expect(problems.join('\n')).toContain('SKIPRING_WORKER_THREADS="0"');
    }
  });
});
