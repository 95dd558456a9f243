import { AccessCalls } from './calls/access-calls.js';
import { DataSetCalls } from './calls/data-set-calls.js';
import { EventCalls } from './calls/event-calls.js';
import { FaultCalls } from './calls/fault-calls.js';
import { HistoryCalls } from './calls/history-calls.js';
import { JobCalls } from './calls/job-calls.js';
import { joined } from './calls/joined.js';
import { ModelCalls } from './calls/model-calls.js';
import { SweepCalls } from './calls/sweep-calls.js';
import { WebhookCalls } from './calls/webhook-calls.js';
import { WorkerCalls } from './calls/worker-calls.js';
import { Http, type ClientOptions } from './http.js';

const AllCalls = joined(
  JobCalls,
  HistoryCalls,
  EventCalls,
  ModelCalls,
  DataSetCalls,
  SweepCalls,
  WorkerCalls,
  FaultCalls,
  WebhookCalls,
  AccessCalls,
);

/**
 * Typed access to a coordinator's REST API. All calls throw ApiError, ConnectionError, ResponseError,
 * or the reason of the client's signal.
 */
export class SkipringClient extends AllCalls {
  constructor(options: ClientOptions) {
    super(new Http(options));
  }
}
