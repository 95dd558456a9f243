import { STATUS_CODES } from 'node:http';
import type { HttpProblem } from './problem.js';

/** A whole HTTP answer as text, for sockets that have no response object. */
export function rawAnswer(problem: HttpProblem): string {
  const body = JSON.stringify(problem.body());
  return (
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
    'Connection: close\r\n' +
    'Content-Type: application/problem+json; charset=utf-8\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}
