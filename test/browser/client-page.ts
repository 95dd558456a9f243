import { ApiError, SkipringClient, type ClientOptions } from '@skipring/client';
import type { JobSpecInput } from '@skipring/protocol';

/** A job from its submission to its end, by the client library alone. It runs in a browser's page. */
async function train(endpoint: ClientOptions, spec: JobSpecInput, idempotencyKey: string) {
  const client = new SkipringClient(endpoint);
  const jobs = await Promise.all([
    client.submit(spec, idempotencyKey),
    client.submit(spec, idempotencyKey),
  ]);
  const id = jobs[0]?.id ?? '';
  const eventIds: string[] = [];
  for await (const event of client.follow(id)) {
    eventIds.push(event.id);
    Object.assign(globalThis, { numSeen: eventIds.length });
  }
  const steps: number[] = [];
  for await (const { step } of client.stepMetrics(id)) steps.push(step);
  const thinned = await client.metrics(id, { points: 10 });
  const model = await new Response(await client.model(id)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', model));
  return {
    ids: jobs.map((job) => job.id),
    eventIds,
    steps,
    numThinned: thinned.length,
    evaluations: await client.evaluations(id),
    sha256: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}

/** What becomes of a call, as its error says. */
async function failureOf(endpoint: ClientOptions, spec: unknown) {
  const client = new SkipringClient({ ...endpoint, retries: 0 });
  try {
    await client.submit(spec as JobSpecInput);
    return null;
  } catch (error) {
    return {
      name: (error as Error).name,
      code: (error as { code?: string }).code,
      fields: error instanceof ApiError ? error.problem.errors?.map(({ field }) => field) : [],
    };
  }
}

Object.assign(globalThis, { train, failureOf });
