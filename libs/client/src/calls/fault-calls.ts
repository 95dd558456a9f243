import { faultViewSchema, type FaultRequestInput, type FaultView } from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

/** Faults on purpose. */
export class FaultCalls extends Calls {
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
}
