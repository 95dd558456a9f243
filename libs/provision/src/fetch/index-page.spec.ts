import { describe, expect, it } from 'vitest';
import { parseIndexPage } from './index-page.js';

const BASE = new URL('https://user:secret@mirror.example/simple/thing/');
const SHA256 = 'a'.repeat(64);

describe('parseIndexPage', () => {
  it('reads JSON, resolving relative links with the credentials of the page', () => {
    const page = {
      files: [{ filename: 't.whl', url: '../../f/t.whl', hashes: { sha256: SHA256 } }],
    };
    const [file] = parseIndexPage(JSON.stringify(page), 'application/json', BASE);
    expect(file?.fileName).toBe('t.whl');
    expect(file?.sha256).toBe(SHA256);
    expect(file?.url.href).toBe('https://user:secret@mirror.example/f/t.whl');
  });

  it('does not send the credentials to another host', () => {
    const page = { files: [{ filename: 't.whl', url: 'https://files.example/t.whl', hashes: {} }] };
    const [file] = parseIndexPage(JSON.stringify(page), 'application/json', BASE);
    expect(file?.url.href).toBe('https://files.example/t.whl');
  });

  it('reads HTML', () => {
    const page = `<html><a class="x" href="/f/t.whl?a=1&amp;b=2#sha256=${SHA256}">t.whl</a></html>`;
    const [file] = parseIndexPage(page, 'text/html; charset=utf-8', BASE);
    expect(file?.fileName).toBe('t.whl');
    expect(file?.sha256).toBe(SHA256);
    expect(file?.url.pathname).toBe('/f/t.whl');
    expect(file?.url.search).toBe('?a=1&b=2');
  });

  it('leaves out links that are not http or https', () => {
    const page = '<a href="file:///etc/passwd">t.whl</a><a href="javascript:1">u.whl</a>';
    expect(parseIndexPage(page, 'text/html', BASE)).toEqual([]);
  });

  it.each(['{', '[]', '{"files": 3}'])('refuses the JSON page %s', (page) => {
    expect(() => parseIndexPage(page, 'application/json', BASE)).toThrowError(
      expect.objectContaining({ code: 'INDEX_UNREACHABLE' }) as Error,
    );
  });
});
