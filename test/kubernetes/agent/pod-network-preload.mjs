// Loaded into each process of a Pod: its network namespace and the cluster's DNS. To listen at any
// address means at the Pod's own; names of services are those of the agent's file, read each time.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const { POD_ADDRESS, POD_NAMES } = process.env;
const { listen } = net.Server.prototype;
const { lookup } = dns;

net.Server.prototype.listen = function (...args) {
  return listen.apply(
    this,
    args.map((arg) => (arg === '0.0.0.0' || arg === '::' ? POD_ADDRESS : arg)),
  );
};

dns.lookup = function (name, options, callback) {
  const addresses = JSON.parse(readFileSync(POD_NAMES, 'utf8'))[name];
  if (addresses === undefined) return lookup.call(dns, name, options, callback);
  const done = typeof options === 'function' ? options : callback;
  const found = addresses.map((address) => ({ address, family: 4 }));
  const all = typeof options === 'object' && options?.all === true;
  process.nextTick(() => {
    if (found.length === 0) {
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }));
    } else if (all) done(null, found);
    else done(null, found[0].address, 4);
  });
};
