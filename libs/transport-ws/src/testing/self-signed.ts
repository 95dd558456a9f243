import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { RingTls } from '../ring-tls.js';

/** DER (X.690): a tag, the length of the contents, the contents. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), body]);
  const bytes = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...bytes), body]);
}

const sequence = (...items: readonly Uint8Array[]) => der(0x30, ...items);
const oid = (...bytes: readonly number[]) => der(0x06, Buffer.from(bytes));
const utcTime = (time: Date) =>
  der(0x17, Buffer.from(`${time.toISOString().replace(/[-T:]/g, '').slice(2, 14)}Z`));

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = oid(0x55, 0x04, 0x03);
const SUBJECT_ALTERNATIVE_NAME = oid(0x55, 0x1d, 0x11);
const DAY_MS = 86_400_000;

/**
 * A certificate of its own authority (X.509 v3, RFC 5280; P-256) for an IPv4 address, good for a day.
 */
export function selfSigned(address = '127.0.0.1'): RingTls {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A name of its own, so that two authorities are never taken for one.
  const commonName = der(0x0c, Buffer.from(`skipring test ${randomBytes(6).toString('hex')}`));
  const name = sequence(der(0x31, sequence(COMMON_NAME, commonName)));
  const addresses = sequence(der(0x87, Buffer.from(address.split('.').map(Number))));
  const now = Date.now();
  const certificate = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(new Date(now - DAY_MS)), utcTime(new Date(now + DAY_MS))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, addresses)))),
  );
  const signature = sign('sha256', certificate, privateKey);
  const signed = sequence(
    certificate,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.concat([Buffer.of(0), signature])),
  );
  const lines = signed.toString('base64').replace(/(.{64})/g, '$1\n');
  const cert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert, key, ca: cert };
}
