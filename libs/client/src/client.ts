import {
  checkpointViewSchema,
  classCountsSchema,
  dataSetViewSchema,
  evaluationResultSchema,
  faultViewSchema,
  jobPageSchema,
  jobSummaryPageSchema,
  jobViewSchema,
  layerHistorySchema,
  ledgerViewSchema,
  auditPageSchema,
  newTokenSchema,
  newWebhookSchema,
  deliveryTrySchema,
  webhookTestSchema,
  webhookViewSchema,
  principalViewSchema,
  tokenViewSchema,
  rankRecordSchema,
  sampleListSchema,
  stepRecordSchema,
  sweepViewSchema,
  workerViewSchema,
  MAX_LISTED,
  type AuditPage,
  type CheckpointView,
  type ClassCounts,
  type DataSetRegistrationInput,
  type DataSetView,
  type EvaluationResult,
  type ExportFormat,
  type FaultRequestInput,
  type FaultView,
  type JobEvent,
  type JobPage,
  type JobSpecInput,
  type JobState,
  type JobSummary,
  type JobSummaryPage,
  type JobView,
  type LayerHistory,
  type LedgerView,
  type NewToken,
  type NewWebhook,
  type DeliveryTry,
  type WebhookChange,
  type WebhookRequestInput,
  type WebhookTest,
  type WebhookView,
  type PrincipalView,
  type TokenRequestInput,
  type TokenView,
  type RankRecord,
  type SampleList,
  type SplitName,
  type StepRecord,
  type SweepSpecInput,
  type SweepView,
  type WorkerView,
} from '@skipring/protocol';
import { z } from 'zod';
import { ApiError } from './errors.js';
import { followJob, type FollowOptions } from './follow-job.js';
import { Http, type ClientOptions, type RequestOptions } from './http.js';
import { newIdempotencyKey } from './idempotency-key.js';
import { parseEvent } from './parse-event.js';
import { parseEventStream } from './server-sent-events.js';

const METRICS_PAGE = 5_000;
const EXPORT_TIMEOUT_MS = 600_000;

/** `cursor` is the `nextCursor` of the page before. */
interface JobListQuery {
  readonly state?: JobState;
  readonly limit?: number;
  readonly cursor?: string;
}

const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

/** A request that makes one thing, however often it is sent. */
const submission = (body: unknown, idempotencyKey: string): RequestOptions => ({
  method: 'POST',
  body,
  headers: { 'idempotency-key': idempotencyKey },
  repeatable: true,
});

/**
 * Typed access to a coordinator's REST API. All calls throw ApiError, ConnectionError, ResponseError,
 * or the reason of the client's signal.
 */
export class SkipringClient {
  private readonly http: Http;
  private readonly signal: AbortSignal | undefined;

  constructor(options: ClientOptions) {
    this.http = new Http(options);
    this.signal = options.signal;
  }

  /**
   * Submits a job. The key makes the call safe to repeat: a lost answer never becomes a second job.
   */
  submit(spec: JobSpecInput, idempotencyKey: string = newIdempotencyKey()): Promise<JobView> {
    return this.http.json(jobViewSchema, '/jobs', submission(spec, idempotencyKey));
  }

  job(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}`);
  }

  /** A page of at most 200 jobs, newest first. */
  jobs(query: JobListQuery = {}): Promise<JobPage> {
    return this.http.json(jobPageSchema, '/jobs', { query: { ...query } });
  }

  /** A page of at most 10,000 jobs, newest first, without what is long of each. */
  jobSummaries(query: JobListQuery = {}): Promise<JobSummaryPage> {
    return this.http.json(jobSummaryPageSchema, '/jobs', { query: { view: 'summary', ...query } });
  }

  /** All jobs, or all in a state, newest first, fetched page by page. */
  async *eachJob(
    query: Omit<JobListQuery, 'limit'> = {},
  ): AsyncGenerator<JobSummary, void, undefined> {
    let cursor = query.cursor;
    do {
      const from = cursor === undefined ? {} : { cursor };
      const page = await this.jobSummaries({ ...query, ...from, limit: MAX_LISTED.summary });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  cancel(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
    });
  }

  /** A job that runs stores a checkpoint and frees its workers. */
  pause(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/pause`, {
      method: 'POST',
    });
  }

  /** Continues a paused, cancelled or failed job from its last checkpoint. */
  resume(id: string): Promise<JobView> {
    return this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}/resume`, {
      method: 'POST',
    });
  }

  /** Deletes a job that has ended, with its histories, checkpoints and exports. */
  async deleteJob(id: string): Promise<void> {
    await this.http.fetch(`/jobs/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /**
   * Committed steps; with `points` the whole stretch, thinned to about so many steps with the extremes
   * of every part of it among them.
   */
  async metrics(
    id: string,
    query: { fromStep?: number; toStep?: number; limit?: number; points?: number } = {},
  ): Promise<StepRecord[]> {
    const path = `/jobs/${encodeURIComponent(id)}/metrics`;
    return (await this.http.json(list(stepRecordSchema), path, { query })).items;
  }

  /** How each rank spent its steps, as means over a few seconds. */
  async ranks(
    id: string,
    query: { fromStep?: number; limit?: number; points?: number } = {},
  ): Promise<RankRecord[]> {
    const path = `/jobs/${encodeURIComponent(id)}/ranks`;
    return (await this.http.json(list(rankRecordSchema), path, { query })).items;
  }

  /** All stored steps of a job from `fromStep` on, fetched page by page. */
  async *stepMetrics(id: string, fromStep = 0): AsyncGenerator<StepRecord, void, undefined> {
    for (let next = fromStep; ;) {
      const page = await this.metrics(id, { fromStep: next, limit: METRICS_PAGE });
      yield* page;
      if (page.length < METRICS_PAGE) return;
      next = (page.at(-1)?.step ?? next) + 1;
    }
  }

  async evaluations(id: string): Promise<EvaluationResult[]> {
    const path = `/jobs/${encodeURIComponent(id)}/evaluations`;
    return (await this.http.json(list(evaluationResultSchema), path)).items;
  }

  /** Statistics of each layer over the job's steps; none unless its spec asks for `statistics`. */
  layers(
    id: string,
    query: { fromStep?: number; limit?: number; points?: number } = {},
  ): Promise<LayerHistory> {
    const path = `/jobs/${encodeURIComponent(id)}/layers`;
    return this.http.json(layerHistorySchema, path, { query });
  }

  /** Which samples went into which committed steps. */
  ledger(id: string): Promise<LedgerView> {
    return this.http.json(ledgerViewSchema, `/jobs/${encodeURIComponent(id)}/ledger`);
  }

  async checkpoints(id: string): Promise<CheckpointView[]> {
    const path = `/jobs/${encodeURIComponent(id)}/checkpoints`;
    return (await this.http.json(list(checkpointViewSchema), path)).items;
  }

  /** The trained model as a safetensors file. */
  async model(id: string): Promise<ReadableStream<Uint8Array>> {
    const path = `/jobs/${encodeURIComponent(id)}/model`;
    const response = await this.http.fetch(path, { stream: true });
    return response.body ?? new ReadableStream();
  }

  /**
   * A file of the trained model in another form (see EXPORT_FILES). Waits while it is being made, for
   * at most ten minutes.
   */
  async modelFile(
    id: string,
    format: ExportFormat,
    file: string,
  ): Promise<ReadableStream<Uint8Array>> {
    const path = `/jobs/${encodeURIComponent(id)}/model/${format}/${file}`;
    const deadlineMs = Date.now() + EXPORT_TIMEOUT_MS;
    for (;;) {
      try {
        const response = await this.http.fetch(path, { stream: true });
        return response.body ?? new ReadableStream();
      } catch (error) {
        const isPending = error instanceof ApiError && error.code === 'EXPORT_PENDING';
        if (!isPending || Date.now() > deadlineMs) throw error;
      }
    }
  }

  registerDataSet(registration: DataSetRegistrationInput): Promise<DataSetView> {
    return this.http.json(dataSetViewSchema, '/data-sets', { method: 'POST', body: registration });
  }

  dataSet(name: string): Promise<DataSetView> {
    return this.http.json(dataSetViewSchema, `/data-sets/${encodeURIComponent(name)}`);
  }

  /** Removes a data set and what was prepared of it; the files that it was made of stay. */
  async removeDataSet(name: string): Promise<void> {
    await this.http.fetch(`/data-sets/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }

  async dataSets(): Promise<DataSetView[]> {
    return (await this.http.json(list(dataSetViewSchema), '/data-sets')).items;
  }

  /** How many samples each class of a data set has. */
  classCounts(name: string): Promise<ClassCounts> {
    return this.http.json(classCountsSchema, `/data-sets/${encodeURIComponent(name)}/classes`);
  }

  /** Samples of a split, of one class (by its index) or of all. */
  samples(
    name: string,
    query: { split?: SplitName; class?: number; offset?: number; limit?: number } = {},
  ): Promise<SampleList> {
    const path = `/data-sets/${encodeURIComponent(name)}/samples`;
    return this.http.json(sampleListSchema, path, { query });
  }

  /** A sample's picture, a PNG file. */
  async samplePicture(name: string, split: SplitName, sample: number): Promise<Blob> {
    const path = `/data-sets/${encodeURIComponent(name)}/samples/${split}/${sample}`;
    return (await this.http.fetch(path)).blob();
  }

  /** The JSON schema of a job spec, as this coordinator takes it. */
  jobSchema(): Promise<Record<string, unknown>> {
    return this.http.json(z.record(z.string(), z.unknown()), '/schemas/job');
  }

  /** The JSON schema of a sweep, as this coordinator takes it. */
  sweepSchema(): Promise<Record<string, unknown>> {
    return this.http.json(z.record(z.string(), z.unknown()), '/schemas/sweep');
  }

  async workers(): Promise<WorkerView[]> {
    return (await this.http.json(list(workerViewSchema), '/workers')).items;
  }

  drain(workerId: string): Promise<WorkerView> {
    return this.http.json(workerViewSchema, `/workers/${encodeURIComponent(workerId)}/drain`, {
      method: 'POST',
    });
  }

  /** Submits a sweep; the key makes the call safe to repeat, as that of a job. */
  submitSweep(
    spec: SweepSpecInput,
    idempotencyKey: string = newIdempotencyKey(),
  ): Promise<SweepView> {
    return this.http.json(sweepViewSchema, '/sweeps', submission(spec, idempotencyKey));
  }

  sweep(id: string): Promise<SweepView> {
    return this.http.json(sweepViewSchema, `/sweeps/${encodeURIComponent(id)}`);
  }

  /** Newest first. */
  async sweeps(): Promise<SweepView[]> {
    return (await this.http.json(list(sweepViewSchema), '/sweeps')).items;
  }

  /** Submits no more trials and cancels those that are open. */
  cancelSweep(id: string): Promise<SweepView> {
    return this.http.json(sweepViewSchema, `/sweeps/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
    });
  }

  /** Registers a webhook. The answer alone has the secret; `verifyWebhook` checks deliveries with it. */
  createWebhook(request: WebhookRequestInput): Promise<NewWebhook> {
    return this.http.json(newWebhookSchema, '/webhooks', { method: 'POST', body: request });
  }

  async webhooks(): Promise<WebhookView[]> {
    return (await this.http.json(list(webhookViewSchema), '/webhooks')).items;
  }

  /** The newest tries to deliver, newest first. */
  async deliveries(webhook: string): Promise<DeliveryTry[]> {
    const path = `/webhooks/${encodeURIComponent(webhook)}/deliveries`;
    return (await this.http.json(list(deliveryTrySchema), path)).items;
  }

  /** @param overlapMs how long the old secret signs beside the new one */
  rotateWebhook(name: string, overlapMs = 0): Promise<NewWebhook> {
    return this.http.json(newWebhookSchema, `/webhooks/${encodeURIComponent(name)}/rotate`, {
      method: 'POST',
      body: { overlapMs },
    });
  }

  /** Disables or enables a webhook, or changes its URL or states; what is not named stays. */
  changeWebhook(name: string, change: WebhookChange): Promise<WebhookView> {
    return this.http.json(webhookViewSchema, `/webhooks/${encodeURIComponent(name)}`, {
      method: 'PATCH',
      body: change,
    });
  }

  /** Sends a signed test delivery, once, and tells what became of it. */
  testWebhook(name: string): Promise<WebhookTest> {
    return this.http.json(webhookTestSchema, `/webhooks/${encodeURIComponent(name)}/test`, {
      method: 'POST',
    });
  }

  async deleteWebhook(name: string): Promise<void> {
    await this.http.fetch(`/webhooks/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }

  /** Name, role and limits of the token that this client sends. */
  whoAmI(): Promise<PrincipalView> {
    return this.http.json(principalViewSchema, '/whoami');
  }

  /** Needs the role admin, as all of tokens and audit. The answer alone has the secret. */
  createToken(request: TokenRequestInput): Promise<NewToken> {
    return this.http.json(newTokenSchema, '/tokens', { method: 'POST', body: request });
  }

  async tokens(): Promise<TokenView[]> {
    return (await this.http.json(list(tokenViewSchema), '/tokens')).items;
  }

  token(name: string): Promise<TokenView> {
    return this.http.json(tokenViewSchema, `/tokens/${encodeURIComponent(name)}`);
  }

  /** @param overlapMs how long the old secret is taken beside the new one */
  rotateToken(name: string, overlapMs = 0): Promise<NewToken> {
    return this.http.json(newTokenSchema, `/tokens/${encodeURIComponent(name)}/rotate`, {
      method: 'POST',
      body: { overlapMs },
    });
  }

  async revokeToken(name: string): Promise<void> {
    await this.http.fetch(`/tokens/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }

  /** Who changed what, newest first; `actor`: of one token alone. */
  audit(query: { limit?: number; cursor?: string; actor?: string } = {}): Promise<AuditPage> {
    return this.http.json(auditPageSchema, '/audit', { query });
  }

  /** Arms a fault; the cluster must have been started to take them. */
  armFault(request: FaultRequestInput): Promise<FaultView> {
    return this.http.json(faultViewSchema, '/faults', { method: 'POST', body: request });
  }

  /** Armed faults, and what became of earlier ones. */
  async faults(): Promise<FaultView[]> {
    return (await this.http.json(list(faultViewSchema), '/faults')).items;
  }

  cancelFault(id: string): Promise<FaultView> {
    return this.http.json(faultViewSchema, `/faults/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
    });
  }

  /** A job's events that are stored by now, behind `afterId` or from its beginning, in order. */
  async *events(
    id: string,
    options: FollowOptions = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    yield* this.eventStream(id, options, { follow: 'false' });
  }

  /**
   * A job's events from `afterId` (or its beginning), live, until the job has ended and all of them
   * are told; an end that was followed by a resumption is an event like others. Reconnects by itself
   * and resumes behind the last event seen, so that none is lost or repeated.
   */
  follow(id: string, options: FollowOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
    return followJob(
      {
        live: (from) => this.eventStream(id, from),
        stored: (from) => this.events(id, from),
        state: async () => (await this.job(id)).state,
        signal: this.signal,
      },
      options,
    );
  }

  private async *eventStream(
    id: string,
    { afterId, signal }: FollowOptions,
    query: { follow?: 'false' } = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    const response = await this.http.fetch(`/jobs/${encodeURIComponent(id)}/events`, {
      query,
      stream: true,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        accept: 'text/event-stream',
        ...(afterId === undefined ? {} : { 'last-event-id': afterId }),
      },
    });
    for await (const event of parseEventStream(response.body ?? new ReadableStream())) {
      const parsed = parseEvent(event.data);
      if (parsed !== null) yield parsed;
    }
  }
}
