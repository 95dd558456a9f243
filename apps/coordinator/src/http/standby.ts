import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { HttpProblem } from './problem.js';
import { sendProblem } from './problem.filter.js';

export interface Standby {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers while another coordinator leads: alive, not ready, and nothing else is served. */
export async function standBy(host: string, port: number): Promise<Standby> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/health/live') {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify({ status: 'ok' }));
      return;
    }
    const detail = 'another coordinator leads; this one waits to take over';
    sendProblem(response, new HttpProblem('NOT_LEADER', detail, [], { 'retry-after': '2' }));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
