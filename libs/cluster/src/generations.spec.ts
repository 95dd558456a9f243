import { describe, expect, it } from 'vitest';
import { ClusterBench, ofType, sent, testHello, testStep } from './testing/fixture.js';

function running(...workers: string[]): ClusterBench {
  const bench = new ClusterBench();
  bench.connect(...workers);
  bench.queue('job');
  bench.allReady('job');
  return bench;
}

describe('generations', () => {
  it('prepares all members in rank order with one token', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b', 'c');
    const prepares = sent(bench.queue('job', { checkpointStep: 7 }), 'prepare');
    expect(prepares.map(({ workerId, message }) => [workerId, message.rank])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
    expect(new Set(prepares.map(({ message }) => message.ringToken)).size).toBe(1);
    expect(prepares[0]?.message).toMatchObject({
      fence: { jobId: 'job', attempt: 1, generation: 1 },
      checkpointStep: 7,
    });
  });

  it('tells every member the local sockets of those that have one', () => {
    const bench = new ClusterBench();
    const localName = '0123456789abcdef0123456789abcdef';
    const hello = { ...testHello('a'), ringLocalName: localName };
    bench.apply({ type: 'workerConnected', hello });
    bench.connect('b');
    const prepares = sent(bench.queue('job'), 'prepare');
    const places = prepares.map(({ message }) => message.members.map((member) => member.localName));
    expect(places).toEqual([
      [localName, undefined],
      [localName, undefined],
    ]);
  });

  it('orders the ring by host, and around a link that was seen to be slow', () => {
    const bench = new ClusterBench();
    const hostOf = { a: 'one', b: 'two', c: 'one', d: 'three' };
    for (const [id, hostLabel] of Object.entries(hostOf)) {
      bench.apply({ type: 'workerConnected', hello: { ...testHello(id), hostLabel } });
    }
    bench.queue('job');
    expect(bench.members('job')).toEqual(['a', 'c', 'b', 'd']);
    bench.allReady('job');
    for (const [from, to, bytesPerSecond] of [
      ['a', 'c', 1e9],
      ['c', 'b', 1e6],
    ] as const) {
      const incomingLink = { from, bytesPerSecond };
      bench.send(to, { type: 'heartbeat', computeSilentMs: 0, incomingLink });
    }
    bench.disconnect('d');
    expect(bench.members('job')).toEqual(['a', 'b', 'c']);
  });

  it('starts only once every rank is ready', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('job');
    expect(sent(bench.ready('b', 'job', 3), 'start')).toEqual([]);
    expect(sent(bench.ready('b', 'job', 3), 'start')).toEqual([]);
    const effects = bench.ready('a', 'job', 0);
    expect(sent(effects, 'start').map(({ workerId }) => workerId)).toEqual(['a', 'b']);
    expect(sent(effects, 'start')[0]?.message).toMatchObject({ sourceRank: 1, behind: [0] });
    expect(ofType(effects, 'generationStarted')).toMatchObject([{ workers: ['a', 'b'], step: 3 }]);
  });

  it('prepares anew rather than start below a checkpoint stored meanwhile, once for each', () => {
    const bench = running('a');
    const earlier = bench.fence('job');
    bench.disconnect('a');
    bench.connect('b');
    bench.apply({ type: 'checkpointStored', fence: earlier, step: 12 });
    const effects = bench.ready('b', 'job', 8);
    expect(sent(effects, 'start')).toEqual([]);
    expect(sent(effects, 'prepare')).toMatchObject([
      { workerId: 'b', message: { checkpointStep: 12 } },
    ]);
    expect(sent(bench.ready('b', 'job', 8), 'start')).toHaveLength(1);
  });

  it('ignores stale fences', () => {
    const bench = running('a', 'b');
    const stale = { ...bench.fence('job') };
    bench.disconnect('b');
    expect(bench.fence('job').generation).toBe(2);
    const position = { step: 9, epoch: 0, cursor: 9 };
    const ready = { type: 'ready', fence: stale, position, stateHash: 'x' } as const;
    expect(bench.send('a', ready)).toEqual([]);
    expect(bench.cluster.isCurrent(stale)).toBe(false);
    const other = { ...bench.fence('job'), attempt: 2 };
    expect(bench.send('a', { ...ready, fence: other })).toEqual([]);
  });

  it('counts a step whose report crosses with the next prepare when that generation begins from it', () => {
    const bench = running('a', 'b', 'c');
    const earlier = bench.fence('job');
    bench.step('a', 'job', 1);
    bench.disconnect('c');
    for (const step of [2, 3]) bench.send('a', testStep(earlier, 0, step, null));
    const effects = bench.allReady('job', 2);
    const told = effects.flatMap(({ type }) =>
      type === 'stepCommitted' || type === 'generationStarted' ? [type] : [],
    );
    expect(told).toEqual(['stepCommitted', 'generationStarted']);
    expect(ofType(effects, 'stepCommitted')).toMatchObject([{ metrics: { step: 2 } }]);
    bench.send('a', testStep(earlier, 0, 3, null));
    expect(ofType(bench.step('a', 'job', 3), 'stepCommitted')).toMatchObject([
      { fence: bench.fence('job') },
    ]);
  });

  it('ignores a worker outside of the generation and a wrong rank', () => {
    const bench = running('a', 'b');
    bench.connect('c');
    const fence = bench.fence('job');
    const finished = { type: 'finished', fence, rank: 0, modelSha256: 'm' } as const;
    expect(bench.send('c', finished)).toEqual([]);
    expect(bench.send('b', finished)).toEqual([]);
    expect(bench.finish('b', 'job')).toEqual([]);
    expect(ofType(bench.finish('a', 'job'), 'jobFinished')).toHaveLength(1);
  });

  it('goes on without a lost member, its lanes given to the others', () => {
    const bench = running('a', 'b');
    const effects = bench.disconnect('a');
    expect(ofType(effects, 'memberLost')).toMatchObject([{ workerId: 'a' }]);
    const [prepare] = sent(effects, 'prepare');
    expect(prepare?.message.members.map(({ lanes }) => lanes)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(prepare?.message.fence.generation).toBe(2);
  });

  it('waits for the cause of an abort before it regroups', () => {
    const bench = running('a', 'b', 'c');
    expect(sent(bench.abort('a', 'job'), 'prepare')).toEqual([]);
    expect(sent(bench.disconnect('b'), 'prepare').map(({ workerId }) => workerId)).toEqual([
      'a',
      'c',
    ]);
    bench.allReady('job');
    bench.abort('a', 'job');
    expect(sent(bench.tick(200), 'prepare')).toHaveLength(2);
  });

  it('fails the attempt at once on a fatal abort, without another try', () => {
    const bench = running('a');
    expect(ofType(bench.abort('a', 'job', true), 'attemptFailed')).toMatchObject([
      { jobId: 'job', attempt: 1, retryable: false },
    ]);
  });

  it('fails the attempt after too many broken generations, counted anew by a commit', () => {
    const bench = running('a');
    const breakOnce = (): boolean => {
      const effects = bench.abort('a', 'job');
      if (ofType(effects, 'attemptFailed').length > 0) return true;
      bench.tick(200);
      bench.allReady('job');
      return false;
    };
    for (let index = 0; index < 4; index += 1) expect(breakOnce()).toBe(false);
    bench.step('a', 'job', 1);
    bench.abort('a', 'job');
    bench.tick(200);
    bench.allReady('job', 1);
    for (let index = 0; index < 3; index += 1) {
      bench.abort('a', 'job');
      bench.tick(200);
      bench.allReady('job', 1);
    }
    expect(ofType(bench.abort('a', 'job'), 'attemptFailed')).toMatchObject([{ retryable: true }]);
  });

  it('regroups when the hashes of a step differ', () => {
    const bench = running('a', 'b');
    bench.step('a', 'job', 1, 'x');
    expect(ofType(bench.step('b', 'job', 1, 'x'), 'hashesCompared')).toMatchObject([
      { agreed: true },
    ]);
    bench.step('a', 'job', 2, 'x');
    const effects = bench.step('b', 'job', 2, 'y');
    expect(ofType(effects, 'hashesCompared')).toMatchObject([{ agreed: false }]);
    expect(sent(effects, 'prepare')).toHaveLength(2);
  });
});
