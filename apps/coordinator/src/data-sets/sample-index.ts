import { encodePng, readLabels, readPixels } from '@skipring/data/files';
import type { ClassCounts, SampleList, SplitName } from '@skipring/protocol';
import { HttpProblem } from '../http/problem.js';
import type { ReadyDataSet } from './data-sets.service.js';

/** Splits whose labels are kept in memory, two bytes for each sample. */
const MAX_SPLITS = 16;

export interface SampleQuery {
  readonly split: SplitName;
  /** Index of the class; absent: all. */
  readonly class?: number | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** What people look at of a data set: its samples one by one, and how many a class has. */
export class SampleIndex {
  /** By hash and split, the one asked for last behind the others. */
  private readonly labels = new Map<string, Promise<Uint16Array>>();

  async classCounts(dataSet: ReadyDataSet): Promise<ClassCounts> {
    const [train, test] = await Promise.all(
      (['train', 'test'] as const).map(async (split) => {
        const counts = dataSet.manifest.classes.map(() => 0);
        for (const label of await this.labelsOf(dataSet, split)) {
          counts[label] = (counts[label] ?? 0) + 1;
        }
        return counts;
      }),
    );
    return { train: train ?? [], test: test ?? [] };
  }

  /** The data set of this hash is gone. */
  forget(hash: string): void {
    for (const split of ['train', 'test'] as const) this.labels.delete(keyOf(hash, split));
  }

  async samples(dataSet: ReadyDataSet, query: SampleQuery): Promise<SampleList> {
    const items: SampleList['items'] = [];
    let total = 0;
    (await this.labelsOf(dataSet, query.split)).forEach((label, sample) => {
      if (query.class !== undefined && label !== query.class) return;
      if (total >= query.offset && items.length < query.limit) items.push({ sample, label });
      total += 1;
    });
    return { items, total };
  }

  /** A sample's picture as a PNG file. Throws HttpProblem SAMPLE_UNKNOWN. */
  async picture(
    { manifest, directory }: ReadyDataSet,
    split: SplitName,
    sample: number,
  ): Promise<Buffer> {
    const { samples } = manifest.splits[split];
    if (sample >= samples) {
      const detail = `no sample ${sample} in the ${split} split of ${samples} samples`;
      throw new HttpProblem('SAMPLE_UNKNOWN', detail);
    }
    return encodePng(manifest, await readPixels(directory, manifest, split, sample));
  }

  private labelsOf(
    { hash, directory, manifest }: ReadyDataSet,
    split: SplitName,
  ): Promise<Uint16Array> {
    const key = keyOf(hash, split);
    const labels = this.labels.get(key) ?? readLabels(directory, manifest, split);
    this.labels.delete(key);
    this.labels.set(key, labels);
    labels.catch(() => this.labels.delete(key));
    const [oldest] = this.labels.keys();
    if (this.labels.size > MAX_SPLITS && oldest !== undefined) this.labels.delete(oldest);
    return labels;
  }
}

function keyOf(hash: string, split: SplitName): string {
  return `${hash} ${split}`;
}
