import { createServer, type RequestListener } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';

const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 2_048;
const MAX_HEADER_BYTES = 16 * 1024;
/** How soon after its deadline a slow request is cut off. */
const CHECK_INTERVAL_MS = 1_000;

/** Express on a server with limits: Node.js looks for slow requests every 30 s unless told otherwise. */
export class LimitedAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    const server = createServer(
      {
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      this.getInstance<RequestListener>(),
    );
    server.maxConnections = MAX_CONNECTIONS;
    this.httpServer = server;
  }
}
