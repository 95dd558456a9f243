import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { RingTls } from '@skipring/transport-ws';
import { OptionsError, type RingTlsFiles } from './options.js';

/** @throws OptionsError when a file can't be read, or is no certificate or key that fits */
export async function readRingTls(files: RingTlsFiles | null): Promise<RingTls | null> {
  if (files === null) return null;
  const read = (name: 'CERT' | 'KEY' | 'CA', file: string): Promise<string> =>
    readFile(file, 'utf8').catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new OptionsError([`SKIPRING_RING_TLS_${name}=${JSON.stringify(file)}: ${why}`]);
    });
  const tls = {
    cert: await read('CERT', files.cert),
    key: await read('KEY', files.key),
    ca: await read('CA', files.ca),
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const expected = 'expected PEM files of a certificate, its key and authorities';
    throw new OptionsError([`SKIPRING_RING_TLS_CERT, _KEY, _CA: ${why}; ${expected}`]);
  }
  return tls;
}
