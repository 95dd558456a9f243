import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { bytes } from '../output/format.js';
import { systemReason } from '../system-reason.js';
import { examples } from './help.js';

/** `model get`, which is meant when no other command of `model` is named. */
export function addModelCommands(program: Command, context: CommandContext): void {
  const group = program.command('model').description('fetch trained models');

  group
    .command('get', { isDefault: true })
    .description('fetch the trained model of a job as a safetensors file')
    .argument('<job>', 'job id')
    .option('--to <file>', 'where to write it (default: JOB.safetensors)')
    .addHelpText('after', examples('skipring model get JOB --to resnet.safetensors'))
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { to?: string }>();
      const client = await context.client(flags);
      const job = await client.job(id);
      const path = flags.to ?? `${id}.safetensors`;
      const written = await writeChecked(
        await client.model(id),
        path,
        job.modelSha256,
        context.interrupted,
      );
      context.show(
        flags,
        { path, ...written },
        () => `${path}  ${bytes(written.bytes)}  SHA-256 ${written.sha256}`,
      );
    });
}

/**
 * Writes a file that is there whole or not at all.
 * @param expectedSha256 null when any content is right
 */
async function writeChecked(
  content: ReadableStream<Uint8Array>,
  path: string,
  expectedSha256: string | null,
  interrupted: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const partial = `${path}.${process.pid}.partial`;
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(content, measure, createWriteStream(partial), { signal: interrupted });
    const sha256 = hash.digest('hex');
    if (expectedSha256 !== null && sha256 !== expectedSha256) {
      throw new CommandError(
        EXIT.unexpected,
        `the file's SHA-256 is ${sha256}, but the job's model has ${expectedSha256}`,
      );
    }
    await rename(partial, path);
    return { bytes: size, sha256 };
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CommandError(EXIT.usage, `--to ${path}: ${systemReason(error)}`, null, {
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
}
