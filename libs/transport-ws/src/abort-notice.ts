import { CollectiveError } from '@skipring/collective';

/** Payload of an abort frame: the first error of the rank where it all began, as JSON. */
export const MAX_ABORT_NOTICE_BYTES = 2_048;
const MAX_MESSAGE_LENGTH = 300;

export function encodeAbortNotice(error: CollectiveError, rank: number): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      code: error.originCode ?? error.code,
      rank: error.rank ?? rank,
      message: error.message.slice(0, MAX_MESSAGE_LENGTH),
    }),
  );
}

/** What the neighbours of an aborting rank fail with. Anything unreadable still aborts. */
export function decodeAbortNotice(payload: Uint8Array, peerRank: number): CollectiveError {
  const { code, rank, message } = parse(payload);
  const originRank = typeof rank === 'number' ? rank : peerRank;
  const originCode = typeof code === 'string' ? code : 'ABORTED';
  const why = typeof message === 'string' ? message : 'no reason given';
  const prefix = `aborted by rank ${peerRank}: `;
  return new CollectiveError('ABORTED', prefix + why.replace(/^(aborted by rank \d+: )+/, ''), {
    rank: originRank,
    originCode,
  });
}

function parse(payload: Uint8Array): { code?: unknown; rank?: unknown; message?: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
