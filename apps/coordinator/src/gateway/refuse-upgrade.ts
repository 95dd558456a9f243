import type { Duplex } from 'node:stream';
import type { HttpProblem } from '../http/problem.js';
import { rawAnswer } from '../http/raw-answer.js';

/** Answers an upgrade request that is not granted, and ends its socket. */
export function refuseUpgrade(socket: Duplex, problem: HttpProblem): void {
  // The other side may be gone already.
  socket.on('error', () => undefined);
  socket.end(rawAnswer(problem), () => socket.destroy());
}
