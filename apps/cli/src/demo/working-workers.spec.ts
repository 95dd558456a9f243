import type { WorkerView } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { WorkingWorkers } from './working-workers.js';

const at = (imagesPerSecond: number) => [{ id: 'local-1', imagesPerSecond }] as WorkerView[];

async function seen(...answers: (WorkerView[] | Error)[]): Promise<readonly WorkerView[]> {
  const workers = new WorkingWorkers({
    workers: () => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? []);
    },
  });
  while (answers.length > 0) {
    workers.look();
    await workers.last();
  }
  return workers.last();
}

describe('workers of the demo', () => {
  it('are told as they trained last, whatever comes after that', async () => {
    expect(await seen(at(0), at(90), at(100), at(0), new Error('gone'))).toEqual(at(100));
  });

  it('are told all the same when none was seen training', async () => {
    expect(await seen(at(0), at(0))).toEqual(at(0));
    expect(await seen(new Error('gone'))).toEqual([]);
  });
});
