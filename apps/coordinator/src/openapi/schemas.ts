import {
  auditEntrySchema,
  auditPageSchema,
  checkpointViewSchema,
  classCountsSchema,
  dataSetRegistrationSchema,
  dataSetViewSchema,
  evaluationResultSchema,
  faultRequestSchema,
  faultViewSchema,
  jobEventSchema,
  jobPageSchema,
  jobSpecSchema,
  jobSummaryPageSchema,
  jobViewSchema,
  layerHistorySchema,
  ledgerViewSchema,
  newTokenSchema,
  principalViewSchema,
  problemSchema,
  rankRecordSchema,
  sampleListSchema,
  stepMetricsSchema,
  stepRecordSchema,
  sweepSpecSchema,
  sweepViewSchema,
  tokenRequestSchema,
  tokenRotationSchema,
  tokenViewSchema,
  deliveryTrySchema,
  newWebhookSchema,
  webhookChangeSchema,
  webhookRequestSchema,
  webhookTestSchema,
  webhookViewSchema,
  workerViewSchema,
} from '@skipring/protocol';
import { z } from 'zod';

const listOf = (item: z.ZodType) => z.strictObject({ items: z.array(item) });

/** What users send: defaults may be left out. */
const requestSchemas = {
  JobSpec: jobSpecSchema,
  DataSetRegistration: dataSetRegistrationSchema,
  SweepSpec: sweepSpecSchema,
  TokenRequest: tokenRequestSchema,
  TokenRotation: tokenRotationSchema,
  WebhookRequest: webhookRequestSchema,
  WebhookChange: webhookChangeSchema,
  FaultRequest: faultRequestSchema,
} as const;

/** What users receive. */
const responseSchemas = {
  Job: jobViewSchema,
  JobPage: z.union([jobPageSchema, jobSummaryPageSchema]),
  JobEvent: jobEventSchema,
  StepMetrics: stepMetricsSchema,
  StepRecord: stepRecordSchema,
  StepRecordList: listOf(stepRecordSchema),
  RankRecordList: listOf(rankRecordSchema),
  Evaluation: evaluationResultSchema,
  EvaluationList: listOf(evaluationResultSchema),
  LayerHistory: layerHistorySchema,
  Ledger: ledgerViewSchema,
  Checkpoint: checkpointViewSchema,
  CheckpointList: listOf(checkpointViewSchema),
  DataSet: dataSetViewSchema,
  DataSetList: listOf(dataSetViewSchema),
  ClassCounts: classCountsSchema,
  SampleList: sampleListSchema,
  Worker: workerViewSchema,
  WorkerList: listOf(workerViewSchema),
  Sweep: sweepViewSchema,
  SweepList: listOf(sweepViewSchema),
  Principal: principalViewSchema,
  Token: tokenViewSchema,
  TokenList: listOf(tokenViewSchema),
  NewToken: newTokenSchema,
  Webhook: webhookViewSchema,
  WebhookTest: webhookTestSchema,
  WebhookList: listOf(webhookViewSchema),
  NewWebhook: newWebhookSchema,
  DeliveryTryList: listOf(deliveryTrySchema),
  AuditEntry: auditEntrySchema,
  AuditPage: auditPageSchema,
  Fault: faultViewSchema,
  FaultList: listOf(faultViewSchema),
  Problem: problemSchema,
  Status: z.strictObject({ status: z.literal('ok') }),
  JsonSchema: z.looseObject({ $schema: z.string() }),
} as const;

export type SchemaName = keyof typeof requestSchemas | keyof typeof responseSchemas;
export type JsonSchema = Record<string, unknown>;

/** JSON schemas of everything in the API, by name, made from the zod schemas that are enforced. */
export function componentSchemas(): Record<string, JsonSchema> {
  return {
    ...convert(requestSchemas, 'input'),
    ...convert(responseSchemas, 'output'),
  };
}

function convert(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const converted = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(converted.schemas).map(([id, schema]) => [id, embedded(schema as JsonSchema)]),
  );
}

/** A schema without what only a document of its own may have: its dialect and its address. */
export function embedded(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'),
  );
}
