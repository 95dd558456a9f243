import type { LayerHistory } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { addGlyphs, runJob, smallJob, startCluster } from '../support/cluster.js';

describe('statistics of the layers', () => {
  it('are the same on 1 and 2 workers, and change no bit of the model', async () => {
    const histories: LayerHistory[] = [];
    const models: string[] = [];
    for (const numWorkers of [1, 2]) {
      const { client, stop } = await startCluster(numWorkers);
      try {
        const dataSet = await addGlyphs(client, 150, 40);
        const workers = { min: numWorkers };
        const { id } = await client.submit(
          smallJob(dataSet, { workers, statistics: { everySteps: 2 } }),
        );
        for await (const event of client.follow(id)) {
          if (event.type === 'state' && event.state === 'failed') throw new Error(event.reason);
        }
        const { modelSha256 } = await client.job(id);
        models.push(modelSha256 ?? 'none');
        histories.push(await client.layers(id));
        if (numWorkers === 1) models.push(await runJob(client, smallJob(dataSet, { workers })));
      } finally {
        await stop();
      }
    }
    expect(new Set(models).size).toBe(1);
    const [alone, together] = histories;
    expect(together).toEqual(alone);
    expect(alone!.layers).toHaveLength(15);
    expect(alone!.items.map(({ step }) => step)).toEqual([1, 2, 4, 6]);
    for (const { gradientNorm, weightNorm, activationVariance } of alone!.items) {
      for (const values of [gradientNorm, weightNorm, activationVariance]) {
        expect(values).toHaveLength(15);
        expect(values.every((value) => value !== null && value > 0)).toBe(true);
      }
    }
  });
});
