import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The settings of pip that also concern us; a list setting holds whitespace-separated values. */
export interface PipConfig {
  readonly 'index-url'?: string;
  readonly 'extra-index-url'?: string;
  readonly 'find-links'?: string;
  readonly cert?: string;
  readonly proxy?: string;
}

const KEYS = ['index-url', 'extra-index-url', 'find-links', 'cert', 'proxy'] as const;
const SECTIONS = ['global', 'install', 'download'];

/** Reads the settings of the sections `global`, `install` and `download`; a later section wins. */
export function parsePipConfig(text: string): PipConfig {
  const values = new Map<string, string>();
  for (const wanted of SECTIONS) {
    let section = '';
    let key = '';
    for (const line of text.split(/\r?\n/)) {
      const header = /^\[(.+)\]\s*$/.exec(line);
      const setting = /^([A-Za-z][\w-]*)\s*[=:]\s*(.*)$/.exec(line);
      if (header) {
        section = header[1] ?? '';
        key = '';
      } else if (/^\s*[#;]/.test(line) || section !== wanted) {
        continue;
      } else if (setting) {
        key = (setting[1] ?? '').toLowerCase().replaceAll('_', '-');
        values.set(key, (setting[2] ?? '').trim());
      } else if (key !== '' && /^\s+\S/.test(line)) {
        // An indented line continues the value above it.
        values.set(key, `${values.get(key) ?? ''} ${line.trim()}`.trim());
      }
    }
  }
  return Object.fromEntries(KEYS.flatMap((k) => (values.get(k) ? [[k, values.get(k)]] : [])));
}

/**
 * Merges pip's configuration files in pip's own order (machine, then user, then `PIP_CONFIG_FILE`);
 * a file that is absent or unreadable counts as empty, as it does for pip.
 */
export function readPipConfig(home: string | undefined, configFile: string | undefined): PipConfig {
  if (configFile === '/dev/null') return {};
  const files = ['/etc/xdg/pip/pip.conf', '/etc/pip.conf'];
  if (home) files.push(join(home, '.pip', 'pip.conf'), join(home, '.config', 'pip', 'pip.conf'));
  if (configFile) files.push(configFile);
  let merged: PipConfig = {};
  for (const file of files) {
    if (!existsSync(file)) continue;
    try {
      merged = { ...merged, ...parsePipConfig(readFileSync(file, 'utf8')) };
    } catch {
      continue;
    }
  }
  return merged;
}
