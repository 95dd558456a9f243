import { DeliveryRefused } from './deliver.js';

/** By code of Node.js: what it means for a receiver. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at this address',
  ECONNRESET: 'the connection was cut off',
  ENOTFOUND: 'no address is known of this name',
  EAI_AGAIN: 'the name could not be resolved now',
  ETIMEDOUT: 'the connection was not made in time',
  EHOSTUNREACH: 'there is no way to this address',
  ENETUNREACH: 'there is no way to this address',
  EPROTO: 'what listens there does not speak TLS',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is of another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself alone',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is of an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is of an authority that is not trusted',
};
const MAX_LENGTH = 200;

/** Why a delivery failed, in words, with the code where there is one. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_LENGTH);
  if (error instanceof DeliveryRefused) return error.message;
  // A request that its deadline ended.
  const { cause = null } = error;
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return 'no answer in time (TIMEOUT)';
  }
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error.message.slice(0, MAX_LENGTH);
  const isHttp = code.startsWith('HPE_');
  const words = isHttp ? 'the answer is not HTTP' : (WORDS[code] ?? error.message);
  return `${words.slice(0, MAX_LENGTH - code.length - 3)} (${code})`;
}
