import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ProvisionError } from '../errors.js';
import type { IndexOptions } from '../options/options.js';
import { basicAuthorization, trustedCertificates, tunnel, usesProxy } from './connection.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** An answer whose body has not been read yet. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The chunks of the body. Ends with `DOWNLOAD_STALLED` when none comes for `stallMs`. */
  readonly body: AsyncIterable<Buffer>;
  /** Lets the connection go when the body is not wanted. */
  discard(): void;
}

/** GET requests with the certificates, proxy and deadlines of the options. */
export interface HttpClient {
  get(url: URL, headers: Readonly<Record<string, string>>): Promise<HttpAnswer>;
}

/** Reads the certificate bundles once; connections are not kept alive. */
export function createHttpClient(index: IndexOptions): HttpClient {
  const ca = trustedCertificates(index.caFiles);

  const once = async (url: URL, headers: Readonly<Record<string, string>>): Promise<HttpAnswer> => {
    const authorization = basicAuthorization(url);
    const options: RequestOptions = {
      headers: {
        'user-agent': 'skipring',
        ...headers,
        ...(authorization ? { authorization } : {}),
      },
      timeout: index.stallMs,
    };
    if (url.protocol === 'http:') {
      return answer(url, index.stallMs, httpRequest(url, { ...options, agent: false }));
    }
    if (usesProxy(url, index) && index.proxyUrl !== undefined) {
      const socket = await tunnel(url, index.proxyUrl, ca, index.stallMs);
      return answer(
        url,
        index.stallMs,
        httpsRequest(url, { ...options, agent: false, createConnection: () => socket }),
      );
    }
    return answer(url, index.stallMs, httpsRequest(url, { ...options, agent: false, ca: [...ca] }));
  };

  return {
    async get(url, headers) {
      let target = url;
      for (let numRedirects = 0; numRedirects <= MAX_REDIRECTS; numRedirects += 1) {
        const got = await once(target, headers);
        const location = got.headers.location;
        if (!REDIRECTS.has(got.status) || location === undefined) return got;
        got.discard();
        const next = new URL(location, target);
        if (target.protocol === 'https:' && next.protocol !== 'https:') {
          throw failed(target, `redirect from https: to ${next.protocol}`);
        }
        target = next;
      }
      throw failed(url, `more than ${MAX_REDIRECTS} redirects`);
    },
  };
}

async function answer(
  url: URL,
  stallMs: number,
  request: ReturnType<typeof httpRequest>,
): Promise<HttpAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const deadline = setTimeout(() => {
      request.destroy(stalled(url, stallMs));
    }, stallMs);
    request.once('response', (message) => {
      clearTimeout(deadline);
      resolve(message);
    });
    request.on('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    request.end();
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    url,
    body: watched(response, url, stallMs),
    discard: () => {
      response.destroy();
    },
  };
}

async function* watched(
  response: IncomingMessage,
  url: URL,
  stallMs: number,
): AsyncGenerator<Buffer> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      // The watch runs only while we wait for the network, not while the disk is written.
      const deadline = setTimeout(() => response.destroy(stalled(url, stallMs)), stallMs);
      const next = await chunks.next().finally(() => {
        clearTimeout(deadline);
      });
      if (next.done === true) break;
      yield next.value;
    }
    if (!response.complete) throw failed(url, 'connection closed before the end');
  } finally {
    response.destroy();
  }
}

function stalled(url: URL, stallMs: number): ProvisionError {
  return new ProvisionError(
    'DOWNLOAD_STALLED',
    `no data from ${url.host} for ${stallMs} ms`,
    'check the network connection and run the command again: it goes on where it stopped',
  );
}

function failed(url: URL, detail: string): ProvisionError {
  return new ProvisionError(
    'DOWNLOAD_FAILED',
    `could not read ${url.origin}${url.pathname}: ${detail}`,
    'check the network connection and run the command again',
  );
}
