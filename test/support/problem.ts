import { problemSchema, type Problem } from '@skipring/protocol';
import { expect } from 'vitest';

/** What must be nowhere in an answer: stack frames, source files, directories of the server. */
const INSIDE = /\n\s+at |node_modules|\.[cm]?[jt]s:\d+|\/dist\/|\/src\//;

/** The problem details of an answer, checked against RFC 9457 and what the API promises. */
export function problemIn(status: number, contentType: string | null, body: string): Problem {
  expect(contentType).toMatch(/^application\/problem\+json\b/);
  expect(body).not.toMatch(INSIDE);
  const problem = problemSchema.strict().parse(JSON.parse(body));
  expect(problem.status).toBe(status);
  expect(problem.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  expect(problem.type).toBe(
    `urn:skipring:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
  );
  expect(problem.title).not.toBe('');
  expect(problem.detail).not.toBe('');
  return problem;
}

/** Reads an answer that must be a problem of this status and code. */
export async function expectProblem(
  response: Response,
  status: number,
  code: string,
): Promise<Problem> {
  const body = await response.text();
  expect({ status: response.status, body }).toMatchObject({ status });
  const problem = problemIn(status, response.headers.get('content-type'), body);
  expect(problem.code).toBe(code);
  return problem;
}
