import { ProvisionError } from '../errors.js';

/** One file that an index offers. */
export interface IndexFile {
  readonly fileName: string;
  readonly url: URL;
  /** As the index states it, when it does. */
  readonly sha256?: string;
  /** As the index states it, when it does (JSON only, PEP 700). */
  readonly bytes?: number;
}

/** Both forms are asked for, JSON first: not every mirror speaks it (PEP 691). */
export const INDEX_ACCEPT = 'application/vnd.pypi.simple.v1+json, text/html;q=0.1';

/**
 * The files on a project's page of a simple index, as JSON (PEP 691) or HTML (PEP 503).
 *
 * @param base where the page came from; relative links are resolved against it.
 * @throws ProvisionError `INDEX_UNREACHABLE` when the page is neither form.
 */
export function parseIndexPage(text: string, contentType: string, base: URL): IndexFile[] {
  return contentType.includes('json') ? parseJson(text, base) : parseHtml(text, base);
}

function parseJson(text: string, base: URL): IndexFile[] {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch (error) {
    throw unreadable(base, error);
  }
  const files = isRecord(page) ? page.files : undefined;
  if (!Array.isArray(files)) throw unreadable(base);
  return files.flatMap((file: unknown) => {
    if (!isRecord(file)) return [];
    const { filename, url, hashes, size } = file;
    if (typeof filename !== 'string' || typeof url !== 'string') return [];
    const sha256 = isRecord(hashes) ? hashes.sha256 : undefined;
    return indexFile(filename, url, typeof sha256 === 'string' ? sha256 : undefined, base).map(
      (found) => (typeof size === 'number' ? { ...found, bytes: size } : found),
    );
  });
}

function parseHtml(text: string, base: URL): IndexFile[] {
  const links = text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["'][^>]*>([^<]*)<\/a>/gi);
  return [...links].flatMap(([, href = '', label = '']) => {
    const link = href.replaceAll('&amp;', '&');
    const sha256 = /#sha256=([0-9a-f]{64})/.exec(link)?.[1];
    return indexFile(label.trim(), link, sha256, base);
  });
}

function indexFile(
  fileName: string,
  link: string,
  sha256: string | undefined,
  base: URL,
): IndexFile[] {
  if (!URL.canParse(link, base.href)) return [];
  const url = new URL(link, base);
  url.hash = '';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return [];
  // A mirror that wants a password for its pages wants it for its files too.
  if (url.host === base.host && url.username === '') {
    url.username = base.username;
    url.password = base.password;
  }
  return [{ fileName, url, ...(sha256 === undefined ? {} : { sha256 }) }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function unreadable(base: URL, cause?: unknown): ProvisionError {
  return new ProvisionError(
    'INDEX_UNREACHABLE',
    `${base.origin}${base.pathname} is not a page of a simple package index`,
    'set PIP_INDEX_URL to the simple index of a Python package mirror',
    { cause },
  );
}
