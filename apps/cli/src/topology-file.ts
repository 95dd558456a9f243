import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError, EXIT } from './exit-codes.js';
import { systemReason } from './system-reason.js';

type Fields = Record<string, unknown>;

/**
 * Puts a model's topology into a job where `model.topology` names a JSON file: what `model.toJSON()`
 * wrote, or the `model.json` of `model.save`. The path is relative to the job file.
 */
export async function withTopology(fields: Fields, jobFile: string | undefined): Promise<Fields> {
  const { model } = fields;
  if (!isFields(model) || typeof model.topology !== 'string') return fields;
  const base = jobFile === undefined || jobFile === '-' ? '.' : dirname(jobFile);
  const path = resolve(base, model.topology);
  return { ...fields, model: { ...model, topology: await readTopology(path) } };
}

async function readTopology(path: string): Promise<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
    // `model.toJSON()` yields a string unless it is asked not to: that may be what was written.
    if (typeof value === 'string') value = JSON.parse(value);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'expected JSON' : systemReason(cause);
    throw new CommandError(EXIT.usage, `cannot read model.topology, ${path}: ${why}`, null, {
      cause,
    });
  }
  return isFields(value) && 'modelTopology' in value ? value.modelTopology : value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
