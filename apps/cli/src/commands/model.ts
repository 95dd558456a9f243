import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { bytes } from '../output/format.js';

/** `model`: fetches a trained model. */
export function addModelCommand(program: Command, context: CommandContext): void {
  program
    .command('model')
    .description('fetch the trained model of a job as a safetensors file')
    .argument('<job>', 'job id')
    .option('--to <file>', 'where to write it (default: JOB.safetensors)')
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { to?: string }>();
      const client = await context.client(flags);
      const job = await client.job(id);
      const path = flags.to ?? `${id}.safetensors`;
      const partial = `${path}.partial`;
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
        await pipeline(await client.model(id), measure, createWriteStream(partial), {
          signal: context.interrupted,
        });
        const sha256 = hash.digest('hex');
        if (job.modelSha256 !== null && job.modelSha256 !== sha256) {
          throw new CommandError(
            EXIT.unexpected,
            `the file's SHA-256 is ${sha256}, but the job's model has ${job.modelSha256}`,
          );
        }
        await rename(partial, path);
        context.show(
          flags,
          { path, bytes: size, sha256 },
          () => `${path}  ${bytes(size)}  SHA-256 ${sha256}`,
        );
      } finally {
        await rm(partial, { force: true });
      }
    });
}
