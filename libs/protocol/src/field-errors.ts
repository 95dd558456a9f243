import type { z } from 'zod';
import type { FieldError } from './api.js';

const MAX_VALUE_LENGTH = 200;
const MAX_ERRORS = 100;

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Every problem of an input, each with its field, the value given and what was expected. */
export function fieldErrors(issues: readonly Issue[], input: unknown): FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const issue of issues) {
    for (const { path, expected } of expectations(issue)) {
      const field = pointer(path);
      const key = `${field} ${expected}`;
      if (errors.size >= MAX_ERRORS || errors.has(key)) continue;
      errors.set(key, { field, value: valueText(valueAt(input, path)), expected });
    }
  }
  return [...errors.values()];
}

/** A value as JSON, cut to 200 characters. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(missing)';
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}

/** RFC 6901: a path as a JSON pointer; the whole input is the empty string. */
export function pointer(path: Path): string {
  return path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** What lies at a path of an input; undefined where there is nothing. */
export function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function expectations(issue: Issue): { path: Path; expected: string }[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], expected: 'no such field' }));
  }
  if (issue.code === 'invalid_union' && unionText(issue) === null) {
    return closestBranch(issue).flatMap((inner) =>
      expectations({ ...inner, path: [...path, ...inner.path] }),
    );
  }
  return [{ path, expected: expectationOf(issue) }];
}

function expectationOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeText(issue.expected);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_union':
      return unionText(issue) ?? issue.message;
    case 'invalid_key':
      return issue.issues.map(expectationOf).join(' and ');
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return issue.message.replace(/^expected /, '');
  }
}

/** What a union of constants or of types chooses between; null where it has branches to look into. */
function unionText(issue: z.core.$ZodIssueInvalidUnion): string | null {
  if ('options' in issue && Array.isArray(issue.options)) return oneOf(issue.options);
  const inner = issue.errors.flat();
  const values = inner.flatMap((each) => (each.code === 'invalid_value' ? each.values : []));
  if (values.length > 0) return oneOf(values);
  const types = inner.flatMap((each) =>
    each.code === 'invalid_type' && each.path.length === 0 ? [typeText(each.expected)] : [],
  );
  if (types.length === inner.length) return [...new Set(types)].join(' or ') || issue.message;
  return null;
}

/** What is wrong by the branch that was meant: the one that knows most of the fields given. */
function closestBranch({ errors }: z.core.$ZodIssueInvalidUnion): readonly Issue[] {
  const numUnknown = (branch: readonly Issue[]): number =>
    branch.reduce(
      (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0),
      0,
    );
  const [closest = []] = [...errors].sort(
    (a, b) => numUnknown(a) - numUnknown(b) || a.length - b.length,
  );
  return closest;
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) =>
    typeof value === 'bigint' ? value.toString() : JSON.stringify(value),
  );
  return texts.length === 1 ? `${texts[0]}` : `one of ${texts.join(', ')}`;
}

const TYPE_TEXTS: Readonly<Record<string, string>> = {
  int: 'an integer',
  object: 'an object',
  array: 'an array',
};

function typeText(expected: string): string {
  return TYPE_TEXTS[expected] ?? `a ${expected}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  if (origin === 'array') return ' items';
  return '';
}
