import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Express adds to a request, as far as it is used here. */
export interface HttpRequest extends IncomingMessage {
  body?: unknown;
  originalUrl: string;
  /** Set once a route matched. */
  route?: { readonly path: string };
}

export type HttpResponse = ServerResponse;

export type Middleware = (
  request: HttpRequest,
  response: HttpResponse,
  next: (error?: unknown) => void,
) => void;
