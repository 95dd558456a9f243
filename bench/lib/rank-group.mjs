const CONNECT_DEADLINE_MS = 60_000;

/** The ranks of one side of a comparison, each in a process of its own. */
export class RankGroup {
  #ranks;

  /** `start(rank)` resolves to a `Side` that tells the port it listens on, if it does. */
  static async start(numRanks, start) {
    const group = new RankGroup();
    group.#ranks = await Promise.all(Array.from({ length: numRanks }, (_, rank) => start(rank)));
    const ports = group.#ranks.map((side) => side.about.port);
    await group.ask({ ports }, CONNECT_DEADLINE_MS);
    return group;
  }

  /**
   * Runs one collective `iterations` times; resolves to the milliseconds of each, of the rank for
   * which it took longest.
   */
  async measure(request) {
    const times = (await this.ask(request)).map(({ elapsedMs }) => elapsedMs);
    return times[0].map((_, iteration) => Math.max(...times.map((ofRank) => ofRank[iteration])));
  }

  async stop() {
    await Promise.all(this.#ranks.map((side) => side.stop()));
  }

  /** The answers of all ranks. */
  ask(request, deadlineMs) {
    return Promise.all(this.#ranks.map((side) => side.ask(request, deadlineMs)));
  }
}
