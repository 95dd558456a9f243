import { startingValue, type JsonObject, type JsonSchema } from './json-schema.js';

/** A job that could be submitted as it is, once it has a name, on the first data set. */
export function startOfJob(schema: JsonSchema, dataSets: readonly string[]): JsonObject {
  const [dataSet] = dataSets;
  return {
    ...(startingValue(schema) as JsonObject),
    data: dataSet === undefined ? {} : { dataSet },
    training: { epochs: 5 },
  };
}
