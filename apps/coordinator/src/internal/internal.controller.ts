import { join } from 'node:path';
import { Controller, Get, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import { encodeSnapshot, type Checkpoints } from '@skipring/checkpoint';
import { fenceSchema } from '@skipring/protocol';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import type { DataSetsService } from '../data-sets/data-sets.service.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { sendFile } from '../http/send-file.js';
import { CHECKPOINT_UPLOADS, CHECKPOINTS, DATA_SETS, INITIAL_WEIGHTS } from '../tokens.js';
import type { InitialWeightsStore } from '../weights/initial-weights.js';
import type { CheckpointUploads } from './checkpoint-uploads.js';

const stepSchema = z.coerce.number().int().min(0).max(2_147_483_647);
const number = z.coerce.number().int();

export const uploadQuerySchema = z.strictObject({
  attempt: number.pipe(fenceSchema.shape.attempt),
  generation: number.pipe(fenceSchema.shape.generation),
});

/** For workers, with the join token. */
@Controller('internal')
@Access('worker')
export class InternalController {
  constructor(
    @Inject(DATA_SETS) private readonly dataSets: DataSetsService,
    @Inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @Inject(CHECKPOINT_UPLOADS) private readonly uploads: CheckpointUploads,
    @Inject(INITIAL_WEIGHTS) private readonly initialWeights: InitialWeightsStore,
  ) {}

  @Get('data-sets/:hash/shards/:file')
  async shard(
    @Param('hash') hash: string,
    @Param('file') file: string,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const dataSet = await this.dataSets.readyByHash(hash);
    if (dataSet === null) throw new HttpProblem('DATA_SET_UNKNOWN', `no data set of hash ${hash}`);
    const { train, test } = dataSet.manifest.splits;
    // Only names that the manifest has become paths.
    const shard = [...train.shards, ...test.shards].find((candidate) => candidate.file === file);
    if (shard === undefined) throw new HttpProblem('SHARD_UNKNOWN', `no shard ${file} in ${hash}`);
    await sendFile(request, response, join(dataSet.directory, shard.file), shard.sha256);
  }

  @Get('weights/:sha256')
  async weights(
    @Param('sha256') sha256: string,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    await sendFile(request, response, await this.initialWeights.path(sha256), sha256);
  }

  @Get('jobs/:id/checkpoints/:step')
  async checkpoint(
    @Param('id') jobId: string,
    @Param('step', { schema: stepSchema }) step: number,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const bytes = encodeSnapshot(await this.checkpoints.readSnapshot(jobId, step));
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      'cache-control': 'no-store',
    });
    response.end(bytes);
  }

  @Put('jobs/:id/checkpoints/:step')
  storeCheckpoint(
    @Param('id') jobId: string,
    @Param('step', { schema: stepSchema }) step: number,
    @Query({ schema: uploadQuerySchema }) query: z.output<typeof uploadQuerySchema>,
    @Req() request: HttpRequest,
  ): Promise<{ modelSha256: string }> {
    return this.uploads.store({ jobId, ...query }, step, request);
  }
}
