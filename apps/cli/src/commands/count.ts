import { CommandError, EXIT } from '../exit-codes.js';

/** A whole number in a range. Throws CommandError `usage`. */
export function parseCount(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CommandError(
    EXIT.usage,
    `${flag} ${text}: expected a whole number from ${min} to ${max}`,
  );
}
