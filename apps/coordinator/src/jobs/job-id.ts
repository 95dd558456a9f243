import { randomBytes } from 'node:crypto';

const TIME_DIGITS = 9;

/**
 * A new job's id: `job-`, the time in milliseconds to base 36, and 40 random bits. Ids sort by time;
 * they are safe in paths and URLs.
 */
export function newJobId(now = Date.now()): string {
  const time = now.toString(36).padStart(TIME_DIGITS, '0');
  return `job-${time}${randomBytes(5).toString('hex')}`;
}

/** Whether a text can be the id of a job. Others must not become part of a key in the store. */
export function isJobId(text: string): boolean {
  return /^job-[0-9a-z]{1,60}$/.test(text);
}
