const CONNECT_DEADLINE_MS = 60_000;

/** The ranks of one side of a comparison, each in a process of its own. */
export class RankGroup {
  #ranks;

  /** `start(rank)` resolves to a `Side` that tells the address it listens on, if it does. */
  static async start(numRanks, start) {
    const group = new RankGroup();
    group.#ranks = await Promise.all(Array.from({ length: numRanks }, (_, rank) => start(rank)));
    const addresses = group.#ranks.map((side) => side.about.address);
    await group.ask({ addresses }, CONNECT_DEADLINE_MS);
    return group;
  }

  /**
   * Runs one collective `iterations` times; resolves to the milliseconds of each, of the rank for
   * which it took longest, and to the processor time that one takes of a rank, in the mean.
   */
  async measure(request) {
    const answers = await this.ask(request);
    const times = answers.map(({ elapsedMs }) => elapsedMs);
    return {
      elapsedMs: times[0].map((_, iteration) =>
        Math.max(...times.map((ofRank) => ofRank[iteration])),
      ),
      userMs: mean(answers.map(({ userMs }) => userMs)) / request.iterations,
      systemMs: mean(answers.map(({ systemMs }) => systemMs)) / request.iterations,
    };
  }

  async stop() {
    await Promise.all(this.#ranks.map((side) => side.stop()));
  }

  /** The answers of all ranks. */
  ask(request, deadlineMs) {
    return Promise.all(this.#ranks.map((side) => side.ask(request, deadlineMs)));
  }
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
