import {
  classCountsSchema,
  dataSetViewSchema,
  sampleListSchema,
  type ClassCounts,
  type DataSetRegistrationInput,
  type DataSetView,
  type SampleList,
  type SplitName,
} from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

/** Data sets and their samples. */
export class DataSetCalls extends Calls {
  registerDataSet(registration: DataSetRegistrationInput): Promise<DataSetView> {
    return this.http.json(dataSetViewSchema, '/data-sets', { method: 'POST', body: registration });
  }

  dataSet(name: string): Promise<DataSetView> {
    return this.http.json(dataSetViewSchema, `/data-sets/${encodeURIComponent(name)}`);
  }

  /** Removes a data set and what was prepared of it; the files that it was made of stay. */
  async removeDataSet(name: string): Promise<void> {
    await this.http.send(`/data-sets/${encodeURIComponent(name)}`, { method: 'DELETE' });
  }

  async dataSets(): Promise<DataSetView[]> {
    return (await this.http.json(list(dataSetViewSchema), '/data-sets')).items;
  }

  /** How many samples each class of a data set has. */
  classCounts(name: string): Promise<ClassCounts> {
    return this.http.json(classCountsSchema, `/data-sets/${encodeURIComponent(name)}/classes`);
  }

  /** Samples of a split, of one class (by its index) or of all. */
  samples(
    name: string,
    query: { split?: SplitName; class?: number; offset?: number; limit?: number } = {},
  ): Promise<SampleList> {
    const path = `/data-sets/${encodeURIComponent(name)}/samples`;
    return this.http.json(sampleListSchema, path, { query });
  }

  /** A sample's picture, a PNG file. */
  samplePicture(name: string, split: SplitName, sample: number): Promise<Blob> {
    const path = `/data-sets/${encodeURIComponent(name)}/samples/${split}/${sample}`;
    return this.http.blob(path);
  }
}
