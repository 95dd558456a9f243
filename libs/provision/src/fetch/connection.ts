import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, rootCertificates } from 'node:tls';
import { errorMessage, ProvisionError } from '../errors.js';
import type { IndexOptions } from '../options/options.js';

/** The roots of Node.js, and those of every bundle that exists. */
export function trustedCertificates(caFiles: readonly string[]): readonly string[] {
  const bundles = [...new Set(caFiles)].filter((file) => existsSync(file));
  return [...rootCertificates, ...bundles.map((file) => readFileSync(file, 'utf8'))];
}

/** Whether `url` goes through the proxy. A `noProxy` entry covers a host and its sub-domains. */
export function usesProxy(url: URL, index: Pick<IndexOptions, 'noProxy' | 'proxyUrl'>): boolean {
  if (index.proxyUrl === undefined || url.protocol !== 'https:') return false;
  return !index.noProxy.some((entry) => {
    const suffix = entry.replace(/^\*?\./, '');
    return entry === '*' || url.hostname === suffix || url.hostname.endsWith(`.${suffix}`);
  });
}

/**
 * Opens a TLS connection to `target` through a proxy (HTTP `CONNECT`, RFC 9110 section 9.3.6).
 *
 * @throws ProvisionError `DOWNLOAD_FAILED` when the proxy refuses.
 */
export async function tunnel(
  target: URL,
  proxyUrl: string,
  ca: readonly string[],
  stallMs: number,
): Promise<Duplex> {
  const proxy = new URL(proxyUrl);
  const authority = `${target.hostname}:${target.port || '443'}`;
  const authorization = basicAuthorization(proxy);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: proxy.hostname,
      port: proxy.port || '80',
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(authorization ? { 'proxy-authorization': authorization } : {}),
      },
      timeout: stallMs,
    });
    const fail = (detail: string): void => {
      reject(
        new ProvisionError(
          'DOWNLOAD_FAILED',
          `the proxy ${proxy.host} gave no connection to ${authority}: ${detail}`,
          'check HTTPS_PROXY and NO_PROXY',
        ),
      );
    };
    request.once('connect', (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        fail(`status ${response.statusCode ?? 'unknown'}`);
        return;
      }
      const secure = tlsConnect({ socket, servername: target.hostname, ca: [...ca] });
      secure.once('secureConnect', () => {
        resolve(secure);
      });
      secure.once('error', (error: Error) => {
        fail(error.message);
      });
    });
    request.once('timeout', () => {
      request.destroy(new Error(`no answer within ${stallMs} ms`));
    });
    request.once('error', (error) => {
      fail(errorMessage(error));
    });
    request.end();
  });
}

/** The `Basic` credentials in a URL (RFC 7617), or `undefined` when it carries none. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}
