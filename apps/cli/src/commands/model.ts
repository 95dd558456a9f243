import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXPORT_FILES, exportFormats, type ExportFormat } from '@skipring/protocol';
import type { SkipringClient } from '@skipring/client';
import { Option, type Command } from 'commander';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { bytes } from '../output/format.js';
import { systemReason } from '../system-reason.js';
import { examples } from './help.js';

/** `model get`, which is meant when no other command of `model` is named, and `model export`. */
export function addModelCommands(program: Command, context: CommandContext): void {
  const group = program.command('model').description('fetch trained models');

  group
    .command('get', { isDefault: true })
    .description('fetch the trained model of a job')
    .argument('<job>', 'job id')
    .addOption(
      new Option('--format <format>', 'torch, tfjs and savedmodel are for other frameworks')
        .choices(['safetensors', ...exportFormats])
        .default('safetensors'),
    )
    .option(
      '--to <path>',
      'where to write it (default: JOB.safetensors, or a directory JOB-FORMAT)',
    )
    .addHelpText(
      'after',
      examples(
        'skipring model get JOB --to resnet.safetensors',
        'skipring model get JOB --format savedmodel --to models/resnet/1',
      ),
    )
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & ModelFlags>();
      const client = await context.client(flags);
      const job = await client.job(id);
      const format = exportFormats.find((known) => known === flags.format);
      if (format !== undefined) {
        await fetchExport(context, flags, client, id, format);
        return;
      }
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

  group
    .command('export')
    .description('fetch the trained model of a job in the form of another framework')
    .argument('<job>', 'job id')
    .addOption(
      new Option('--format <format>', 'PyTorch, TensorFlow.js layers, or a SavedModel')
        .choices([...exportFormats])
        .makeOptionMandatory(),
    )
    .option('--to <path>', 'where to write it (default: JOB-FORMAT)')
    .addHelpText(
      'after',
      examples(
        'skipring model export JOB --format torch --to resnet.safetensors',
        'skipring model export JOB --format savedmodel --to models/resnet/1',
      ),
    )
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & ExportFlags>();
      await fetchExport(context, flags, await context.client(flags), id, flags.format);
    });
}

interface ModelFlags {
  readonly format: string;
  readonly to?: string;
}

interface ExportFlags extends ModelFlags {
  readonly format: ExportFormat;
}

/** Fetches the files of an export: one as a file, several into a directory. */
async function fetchExport(
  context: CommandContext,
  flags: CommonFlags & ModelFlags,
  client: SkipringClient,
  id: string,
  format: ExportFormat,
): Promise<void> {
  const names: readonly string[] = EXPORT_FILES[format];
  const isFile = names.length === 1;
  const path = flags.to ?? (isFile ? `${id}-${format}.safetensors` : `${id}-${format}`);
  const written: { path: string; bytes: number; sha256: string }[] = [];
  try {
    if (!isFile) await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new CommandError(EXIT.usage, `--to ${path}: ${systemReason(cause)}`, null, { cause });
  }
  for (const name of names) {
    context.tell(`fetching ${name}`);
    const target = isFile ? path : join(path, name);
    const content = await client.modelFile(id, format, name);
    const file = await writeChecked(content, target, null, context.interrupted);
    written.push({ path: target, ...file });
  }
  context.show(flags, { path, format, files: written }, () =>
    written.map((file) => `${file.path}  ${bytes(file.bytes)}`).join('\n'),
  );
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
