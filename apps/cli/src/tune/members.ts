import { CommandError, EXIT } from '../exit-codes.js';
import type { Member } from './rank-messages.js';

/**
 * `HOST:PORT,HOST:PORT,...`, IPv6 addresses in brackets.
 * @throws CommandError `usage`
 */
export function parseMembers(text: string): Member[] {
  const members = text.split(',').map((part) => parseMember(part.trim()));
  if (members.length >= 2) return members;
  throw new CommandError(EXIT.usage, `--members ${text}: expected HOST:PORT of two ranks or more`);
}

function parseMember(text: string): Member {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new CommandError(
    EXIT.usage,
    `--members: ${JSON.stringify(text)}: expected HOST:PORT, such as 10.0.0.1:7600`,
  );
}

/** Whether all are on this machine, so that nobody else can join. */
export function areLocal(members: readonly Member[]): boolean {
  return members.every(({ host }) => /^(localhost|127\..*|::1)$/.test(host));
}
