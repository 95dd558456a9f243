import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** Networks that are not the internet: the special-purpose registries of IANA (RFC 6890). */
const PRIVATE_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3'],
];
const PRIVATE_6 = [
  ...['::/127', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32'],
  ...['2002::/16', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
];

const blocked = new BlockList();
for (const [family, networks] of [
  ['ipv4', PRIVATE_4],
  ['ipv6', PRIVATE_6],
] as const) {
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    blocked.addSubnet(address, Number(prefix), family);
  }
}

/** The address is in a network that the coordinator must not call for others. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
  readonly code = 'ADDRESS_PRIVATE';
}

/** Whether an IP address lies in a private network; IPv6 forms of IPv4 addresses count as these. */
export function isPrivate(address: string): boolean {
  const family = isIP(address);
  // Node.js compares an IPv4-mapped address with the networks of IPv4.
  return family === 0 || blocked.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws PrivateAddressError when the host is the address of a private network. */
export function requirePublicHost(hostname: string): void {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0 && isPrivate(bare)) throw new PrivateAddressError(`${bare} is not public`);
}

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Resolves a name for a connection, and refuses addresses of private networks. It decides about the
 * address that is connected to, so a name that resolves to another one later gains nothing.
 */
export function publicLookup(hostname: string, options: LookupOptions, callback: Callback): void {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    // With an error there are no addresses, whatever the types say.
    if (error !== null) {
      callback(error, []);
      return;
    }
    const found = addresses.find(({ address }) => isPrivate(address));
    if (found !== undefined) {
      callback(new PrivateAddressError(`${hostname} is ${found.address}, not public`), []);
    } else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0);
  });
}
