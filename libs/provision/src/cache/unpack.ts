import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { errorMessage, explainDiskError, ProvisionError } from '../errors.js';

/** What may be unpacked. */
export interface UnpackOptions {
  /** Whether a member (a path with `/`) is wanted. */
  readonly wanted: (path: string) => boolean;
  /** Upper bound of the bytes of all wanted members together. */
  readonly maxBytes: number;
  /** Told the number of bytes written so far. */
  readonly onBytes?: (doneBytes: number) => void;
}

/** A file that was unpacked. */
export interface UnpackedFile {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Unpacks the wanted members of a zip archive below `directory`, one after the other and never a
 * whole member in memory. Execute permission is kept.
 *
 * @returns what was unpacked.
 * @throws ProvisionError `ARCHIVE_INVALID` for a damaged archive, a member that would land outside
 * `directory`, a link, or more than `maxBytes`; `DISK_FULL`.
 */
export async function unpack(
  archive: string,
  directory: string,
  { wanted, maxBytes, onBytes }: UnpackOptions,
): Promise<UnpackedFile[]> {
  const root = resolve(directory);
  const files: UnpackedFile[] = [];
  let doneBytes = 0;
  let declaredBytes = 0;
  const zip = await openZip(archive);
  try {
    await eachEntry(zip, archive, async (entry) => {
      const path = entry.fileName;
      if (path.endsWith('/') || !wanted(path)) return;
      const target = resolve(root, path);
      if (!target.startsWith(root + sep) || path.includes('\\')) {
        throw invalid(archive, `the member '${path}' would land outside the directory`);
      }
      // The upper 16 bits hold the Unix mode: file type (0o170000) and permissions.
      const mode = entry.externalFileAttributes >>> 16;
      const type = mode & 0o170000;
      if (type !== 0 && type !== 0o100000) {
        throw invalid(archive, `the member '${path}' is not an ordinary file`);
      }
      declaredBytes += entry.uncompressedSize;
      if (declaredBytes > maxBytes) {
        throw invalid(archive, `its members hold more than ${maxBytes} bytes`);
      }
      await mkdir(dirname(target), { recursive: true });
      const content = await openEntry(zip, entry);
      content.on('data', (chunk: Buffer) => {
        doneBytes += chunk.length;
        onBytes?.(doneBytes);
      });
      const permissions = (mode & 0o111) === 0 ? 0o644 : 0o755;
      await pipeline(content, createWriteStream(target, { mode: permissions, flags: 'w' }));
      files.push({ path, bytes: entry.uncompressedSize });
    });
  } catch (error) {
    throw explainDiskError(error, root);
  } finally {
    zip.close();
  }
  return files;
}

async function openZip(archive: string): Promise<yauzl.ZipFile> {
  return new Promise((resolveZip, reject) => {
    // yauzl itself refuses absolute names and names with '..', and more bytes than declared.
    yauzl.open(archive, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(invalid(archive, errorMessage(error), error));
      else resolveZip(zip);
    });
  });
}

async function eachEntry(
  zip: yauzl.ZipFile,
  archive: string,
  visit: (entry: yauzl.Entry) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolveAll, reject) => {
    zip.once('end', resolveAll);
    zip.once('error', (error: Error) => {
      reject(invalid(archive, error.message, error));
    });
    zip.on('entry', (entry: yauzl.Entry) => {
      visit(entry).then(() => {
        zip.readEntry();
      }, reject);
    });
    zip.readEntry();
  });
}

async function openEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> {
  return new Promise((resolveStream, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolveStream(stream);
    });
  });
}

function invalid(archive: string, detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError(
    'ARCHIVE_INVALID',
    `${archive}: ${detail}`,
    'delete the file and run the command again',
    { cause },
  );
}
