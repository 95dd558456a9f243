import { readFile } from 'node:fs/promises';
import { API_VERSION, fieldErrors, jobSpecSchema, type JobSpecInput } from '@skipring/protocol';
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Pair,
} from 'yaml';
import { fieldLines } from './error-text.js';
import { CommandError, EXIT } from './exit-codes.js';
import { systemReason } from './system-reason.js';

const MAX_FILE_BYTES = 1024 * 1024;

/** A plain record of a job file; what it holds is checked against the schema afterwards. */
type Fields = Record<string, unknown>;

/** A job file as it was read, with the places of its fields. */
export interface JobFile {
  readonly fields: Fields;
  /** Where a field stands, such as `job.yaml:3:9`; null when it is not in the file. */
  readonly place: (pointer: string) => string | null;
}

/** Reads a job file (YAML or JSON; `-` is standard input). */
export async function readJobFile(path: string): Promise<JobFile> {
  let text: string;
  try {
    text = path === '-' ? await readStandardInput() : await readFile(path, 'utf8');
  } catch (cause) {
    throw new CommandError(
      EXIT.usage,
      `cannot read the job file ${path}: ${systemReason(cause)}`,
      null,
      { cause },
    );
  }
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    throw new CommandError(EXIT.usage, `${path}: a job file has at most ${MAX_FILE_BYTES} bytes`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: true, lineCounter: lines });
  const fields = valueOf(document, path);
  if (!isFields(fields)) {
    throw new CommandError(EXIT.usage, `${path}: expected a mapping of fields`);
  }
  return { fields, place: (pointer) => placeIn(document, lines, path, pointer) };
}

/** Of the key where there is one; of a field that is missing, the mapping that lacks it. */
function placeIn(
  { contents }: Document.Parsed,
  lines: LineCounter,
  path: string,
  pointer: string,
): string | null {
  let at: unknown = contents;
  let offset: number | null = null;
  for (const part of pointer.split('/').slice(1)) {
    if (isSeq(at)) at = at.items[Number(part)];
    else if (isMap(at)) {
      const pair: Pair | undefined = at.items.find(
        ({ key }) => isScalar(key) && key.value === part,
      );
      if (pair === undefined) break;
      at = isNode(pair.value) ? pair.value : pair.key;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
    } else return null;
  }
  if (offset === null) return null;
  const { line, col } = lines.linePos(offset);
  return `${path}:${line}:${col}`;
}

/** Not as a file: standard input may be a pipe, a terminal or a socket. */
async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let numBytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    numBytes += chunk.length;
    if (numBytes > MAX_FILE_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Applies `--set training.epochs=3`; values are YAML scalars or flow collections. */
export function applySettings(fields: Fields, settings: readonly string[]): Fields {
  const result = structuredClone(fields);
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    const path = setting.slice(0, Math.max(0, equals)).split('.');
    if (equals <= 0 || path.some((key) => !/^[A-Za-z][A-Za-z0-9]*$/.test(key))) {
      throw new CommandError(EXIT.usage, `--set ${setting}: expected key.path=value`);
    }
    let target = result;
    for (const key of path.slice(0, -1)) {
      const next = target[key] ?? {};
      if (!isFields(next)) {
        throw new CommandError(EXIT.usage, `--set ${setting}: ${key} has no fields to set`);
      }
      target[key] = next;
      target = next;
    }
    target[path.at(-1) ?? ''] = parseYaml(setting.slice(equals + 1), `--set ${setting}`);
  }
  return result;
}

/** @param source for messages: what the text was given as */
function parseYaml(text: string, source: string): unknown {
  return valueOf(parseDocument(text, { prettyErrors: true }), source);
}

function valueOf(document: Document.Parsed, source: string): unknown {
  const [error] = document.errors;
  if (error !== undefined) throw new CommandError(EXIT.usage, `${source}: ${error.message}`);
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    // Aliases can make a small file a huge value.
    throw new CommandError(EXIT.usage, `${source}: expected no aliases (*name)`, null, { cause });
  }
}

/** Checks a spec before it is sent; all problems at once, each with its place where it has one. */
export function checkSpec(fields: Fields, place: JobFile['place'] = () => null): JobSpecInput {
  const spec = { apiVersion: API_VERSION, ...fields };
  const parsed = jobSpecSchema.safeParse(spec);
  if (parsed.success) return spec as JobSpecInput;
  throw new CommandError(
    EXIT.usage,
    `the job spec is not valid${fieldLines(fieldErrors(parsed.error.issues, spec), place)}`,
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
