/** A worker that is to be in a ring. */
export interface RingMember {
  readonly workerId: string;
  /** Workers of one label share a host: what goes between them leaves no network card. */
  readonly hostLabel: string;
}

/** Bytes per second that one worker was seen to send to another; null: not measured. */
export type LinkSpeed = (from: string, to: string) => number | null;

/** Rings of more members are grouped by host and no more. */
const MAX_IMPROVED = 64;

/**
 * Order of the members in the ring, in which each sends to the one behind it. Members of one host are
 * neighbours, so that as few links as can be leave a host; then parts of the ring are turned around
 * (2-opt: Croes 1958) while that makes the slowest measured link faster, for it sets the pace of all.
 * A link that was not measured counts as fast: a ring that was slow is changed towards what is not
 * known. Where nothing is better, the order given is kept.
 */
export function ringOrder(members: readonly RingMember[], speed: LinkSpeed): RingMember[] {
  const labels = [...new Set(members.map(({ hostLabel }) => hostLabel))];
  let ring = labels.flatMap((label) => members.filter(({ hostLabel }) => hostLabel === label));
  if (ring.length > MAX_IMPROVED) return ring;
  let best = qualityOf(ring, speed);
  for (let isImproved = true; isImproved;) {
    isImproved = false;
    for (let first = 1; first < ring.length - 1; first++) {
      for (let last = first + 1; last < ring.length; last++) {
        const turned = [
          ...ring.slice(0, first),
          ...ring.slice(first, last + 1).reverse(),
          ...ring.slice(last + 1),
        ];
        const quality = qualityOf(turned, speed);
        if (!isBetter(quality, best)) continue;
        ring = turned;
        best = quality;
        isImproved = true;
      }
    }
  }
  return ring;
}

interface Quality {
  readonly numLeavingHost: number;
  /** Measured speeds of all links, slowest first. */
  readonly speeds: readonly number[];
}

function qualityOf(ring: readonly RingMember[], speed: LinkSpeed): Quality {
  const links = ring.map((from, rank) => [from, ring[(rank + 1) % ring.length] ?? from] as const);
  return {
    numLeavingHost: links.filter(([from, to]) => from.hostLabel !== to.hostLabel).length,
    speeds: links
      .map(([from, to]) => speed(from.workerId, to.workerId) ?? Infinity)
      .sort((a, b) => a - b),
  };
}

/** What is to be gained by another order must be more than what measuring varies by. */
const MIN_GAIN = 1.25;

function isBetter(a: Quality, b: Quality): boolean {
  if (a.numLeavingHost !== b.numLeavingHost) return a.numLeavingHost < b.numLeavingHost;
  const [slowestOfA = Infinity] = a.speeds;
  const [slowestOfB = Infinity] = b.speeds;
  return slowestOfA > slowestOfB * MIN_GAIN;
}
