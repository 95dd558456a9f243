/** Registers a data set, and waits until it is ready. */
export async function prepareDataSet(client, dataSet) {
  let { state } = await client.registerDataSet(dataSet);
  while (state === 'preparing') {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ state } = await client.dataSet(dataSet.name));
  }
  if (state !== 'ready') throw new Error(`data set ${dataSet.name}: ${state}`);
}
