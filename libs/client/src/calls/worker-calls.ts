import { workerViewSchema, type WorkerView } from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

/** Workers. */
export class WorkerCalls extends Calls {
  async workers(): Promise<WorkerView[]> {
    return (await this.http.json(list(workerViewSchema), '/workers')).items;
  }

  drain(workerId: string): Promise<WorkerView> {
    return this.http.json(workerViewSchema, `/workers/${encodeURIComponent(workerId)}/drain`, {
      method: 'POST',
    });
  }
}
