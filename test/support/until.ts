import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again until there is an answer; fails with what was waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  deadlineMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(20);
  }
}
