import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from '@skipring/cli';
import { SkipringClient } from '@skipring/client';
import { prepareDataSet } from './lib/prepare-data-set.mjs';
import { quantile } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const DATA_SET = { name: 'tiny', format: 'glyphs', trainSamples: 20, testSamples: 10 };
/** Sent again and again: no worker is there, so each job stays in the queue. */
const SPEC = JSON.stringify({
  apiVersion: 'skipring/v1',
  name: 'load',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: DATA_SET.name },
  training: { epochs: 1 },
  lanes: { count: 2, size: 4 },
});
const NUM_CONNECTIONS = 48;
/** Lists by name: what is asked for, and how often. */
const LISTS = {
  full: { query: 'limit=200', numRuns: 100 },
  summary: { query: 'state=pending&view=summary&limit=10000', numRuns: 20 },
};
const COUNT_LIMIT = 10_000;
const NUM_FOLLOWERS = 500;

/** Submissions as fast as a coordinator takes them, lists of a long queue, followers of one job. */
export async function load({ seconds = 30 }) {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-load-'));
  const cluster = await LocalCluster.start({
    dataDirectory,
    port: 0,
    numWorkers: 0,
    threads: 1,
    dataRoots: [],
    inherited: process.env,
    interrupted: new AbortController().signal,
    onStatus: () => undefined,
  });
  const api = new Api(cluster.endpoint);
  try {
    await prepareDataSet(new SkipringClient(cluster.endpoint), DATA_SET);
    const submits = await submitFor(api, seconds);
    const lists = await timeLists(api, LISTS.full);
    const summaries = await timeLists(api, LISTS.summary);
    const listed = await countJobs(api);
    const followers = await follow(api, submits.ids[0]);
    return {
      ...{ seconds, submits: { ...submits, ids: submits.ids.length } },
      ...{ lists, summaries, listed, followers },
    };
  } finally {
    api.close();
    await cluster.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

export function loadTable({ seconds, submits, lists, summaries, listed, followers }) {
  const { ids, refused, milliseconds } = submits;
  const ms = (values, q) => `${quantile(values, q).toFixed(1)} ms`;
  return markdown(
    ['Load', 'measured'],
    [
      [`submissions a second, for ${seconds} s`, (ids / submits.seconds).toFixed(0)],
      ['answered in, p50 and p99', `${ms(milliseconds, 0.5)}, ${ms(milliseconds, 0.99)}`],
      ['refused', refused],
      ['submitted, and listed afterwards', `${ids}, ${listed}`],
      ...[lists, summaries].flatMap(({ query, milliseconds, longestWait }) => [
        [
          `\`GET /jobs?${query}\`, p50 and p99`,
          `${ms(milliseconds, 0.5)}, ${ms(milliseconds, 0.99)}`,
        ],
        [`another request beside it waited for, at most`, `${longestWait.toFixed(1)} ms`],
      ]),
      [
        `followers of a job, all told of its end after its cancellation in`,
        `${followers.told} of ${NUM_FOLLOWERS}, ${followers.ms.toFixed(0)} ms`,
      ],
    ],
    [],
  );
}

/** Requests over kept connections, with less work on this side than `fetch` does. */
class Api {
  constructor({ url, token }) {
    this.url = new URL(url);
    this.headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    this.agent = new http.Agent({ keepAlive: true, maxSockets: NUM_CONNECTIONS });
  }

  close() {
    this.agent.destroy();
  }

  open(method, path, body, agent = this.agent) {
    const { hostname: host, port } = this.url;
    const headers = { ...this.headers };
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    return new Promise((resolve, reject) => {
      const options = { host, port, agent, method, headers, path: `/api/v1${path}` };
      http.request(options, resolve).on('error', reject).end(body);
    });
  }

  async send(method, path, body) {
    const response = await this.open(method, path, body);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, text };
  }
}

async function submitFor(api, seconds) {
  const ids = [];
  const milliseconds = [];
  let refused = 0;
  const begin = performance.now();
  const submit = async () => {
    while (performance.now() - begin < seconds * 1_000) {
      const sent = performance.now();
      const { status, text } = await api.send('POST', '/jobs', SPEC);
      milliseconds.push(performance.now() - sent);
      if (status === 201) ids.push(JSON.parse(text).id);
      else refused += 1;
    }
  };
  await Promise.all(Array.from({ length: NUM_CONNECTIONS }, submit));
  return { ids, milliseconds, refused, seconds: (performance.now() - begin) / 1_000 };
}

/** How long a list takes, and for how long at most it keeps another request waiting. */
async function timeLists(api, { query, numRuns }) {
  const milliseconds = [];
  for (let run = 0; run < numRuns; run++) milliseconds.push(await timed(api, `/jobs?${query}`));
  let isListing = true;
  const others = async () => {
    let longest = 0;
    while (isListing) longest = Math.max(longest, await timed(api, '/whoami'));
    return longest;
  };
  const waiting = others();
  for (let run = 0; run < numRuns; run++) await timed(api, `/jobs?${query}`);
  isListing = false;
  return { query, milliseconds, longestWait: await waiting };
}

async function timed(api, path) {
  const sent = performance.now();
  const { status } = await api.send('GET', path);
  if (status !== 200) throw new Error(`${path} was answered with status ${status}`);
  return performance.now() - sent;
}

async function countJobs(api) {
  const ids = new Set();
  for (let cursor = ''; cursor !== null;) {
    const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { text } = await api.send('GET', `/jobs?view=summary&limit=${COUNT_LIMIT}${after}`);
    const { items, nextCursor } = JSON.parse(text);
    for (const { id } of items) ids.add(id);
    cursor = nextCursor;
  }
  return ids.size;
}

/** Each follower has a connection of its own, and is told when its stream ends with the job's end. */
async function follow(api, id) {
  const streams = await Promise.all(
    Array.from({ length: NUM_FOLLOWERS }, () =>
      api.open('GET', `/jobs/${id}/events`, undefined, false),
    ),
  );
  const begin = performance.now();
  await api.send('POST', `/jobs/${id}/cancel`);
  const told = await Promise.all(
    streams.map(async (stream) => {
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) text += chunk;
      return text.includes('"cancelled"');
    }),
  );
  return { told: told.filter(Boolean).length, ms: performance.now() - begin };
}
