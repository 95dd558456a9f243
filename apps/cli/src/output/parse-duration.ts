import { CommandError, EXIT } from '../exit-codes.js';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90d`, `12h`, `10m` or `30s` in milliseconds. Throws CommandError `usage`. */
export function parseDuration(flag: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (count !== undefined && unitMs !== undefined) return Number(count) * unitMs;
  throw new CommandError(
    EXIT.usage,
    `${flag} ${text}: expected a number of seconds, minutes, hours or days, such as 30s, 10m, 12h or 90d`,
  );
}
