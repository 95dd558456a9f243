import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../access/principal.js';

/** What Express adds to a request, as far as it is used here. */
export interface HttpRequest extends IncomingMessage {
  body?: unknown;
  originalUrl: string;
  /** Who sends it; set by the authentication, except on public and internal routes. */
  principal?: Principal;
  /** Set once a route matched. */
  route?: { readonly path: string };
}

export type HttpResponse = ServerResponse;

export type Middleware = (
  request: HttpRequest,
  response: HttpResponse,
  next: (error?: unknown) => void,
) => void;
