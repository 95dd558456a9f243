import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import { jobViewSchema } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { CliHome } from '../support/cli.js';
import { until } from '../support/until.js';

const PROGRAM = 'npx skipring ';
const readme = await readFile('README.md', 'utf8');

/** What the README shows of a terminal: each command with the lines that it printed. */
const session = block('console')
  .split(/^\$ /m)
  .slice(1)
  .map((part) => {
    const [command = '', ...lines] = part.split('\n');
    // Dots stand for lines that are left out.
    return { command, lines: lines.filter((line) => !['', '...'].includes(line.trim())) };
  });

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(readme);
  if (found?.[1] === undefined) throw new Error(`the README has no block of ${language}`);
  return found[1];
}

/** The README's job, small enough for a test. */
function smallJobFile(): string {
  const job = parse(block('yaml')) as { model: object; lanes: object; training: object };
  return stringify({
    ...job,
    model: { ...job.model, depth: 8 },
    training: { ...job.training, epochs: 3 },
    lanes: { count: 8, size: 64 },
  });
}

/** A line without what differs from run to run: ids, numbers, units, widths. */
function shapeOf(line: string, classes: readonly string[]): string {
  return line
    .replace(/\bjob-[0-9a-z]+/g, 'JOB')
    .replace(/\b[0-9a-f]{64}\b/g, 'SHA256')
    .replace(/[▁-█]+/g, '▁')
    .replace(/, best .*| \(best so far\)/, '')
    .replace(/\d+(\.\d+)?(e[+-]?\d+)?/g, '0')
    .replace(/\b(0h0m|0m0s|0s)\b/g, 'TIME')
    .replace(/\b0 (B|kB|MB|GB)\b/g, 'SIZE')
    .replace(new RegExp(`\\b(${classes.join('|')})\\b`, 'g'), 'CLASS')
    .replace(/\s+/g, ' ')
    .trim();
}

let home: CliHome;
let client: SkipringClient;

beforeAll(async () => {
  home = await CliHome.make();
  await writeFile(join(home.directory, 'job.yaml'), smallJobFile());
  await home.start(['up', '--workers', '2', '--port', '0']).says('Skipring is up');
  const endpoint = z
    .object({ url: z.url(), token: z.string() })
    .parse(JSON.parse(await readFile(join(home.dataDirectory, 'endpoint.json'), 'utf8')));
  client = new SkipringClient(endpoint);
});
afterAll(() => home.remove());

/** Pictures of the data set, as the session has them in a folder. */
async function writePictures(folder: string, dataSet: string, names: string[]): Promise<void> {
  await mkdir(join(home.directory, folder), { recursive: true });
  for (const [index, name] of names.entries()) {
    const picture = await client.samplePicture(dataSet, 'test', index);
    await writeFile(join(home.directory, folder, name), await bytesOf(picture));
  }
}

async function bytesOf(picture: Blob): Promise<Uint8Array> {
  return new Uint8Array(await picture.arrayBuffer());
}

async function newestJob(): Promise<string> {
  const { items } = await client.jobs({ limit: 1 });
  return jobViewSchema.parse(items[0]).id;
}

describe('the terminal session of the README', () => {
  it('uses the commands that it is about', () => {
    const names = session.map(({ command }) => command.split(' ').slice(2, 4).join(' '));
    for (const name of ['submit', 'status', 'top', 'metrics', 'model get', 'predict']) {
      expect(
        names.some((used) => used.startsWith(name)),
        name,
      ).toBe(true);
    }
  });

  it('is what the commands print', async () => {
    /** Ids of the README, and what they are here. */
    const ids = new Map<string, string>();
    let classes: readonly string[] = ['none'];
    for (const { command, lines } of session) {
      expect(command.startsWith(PROGRAM), command).toBe(true);
      const words = command
        .slice(PROGRAM.length)
        .replace(/job-[0-9a-z]+/g, (id) => ids.get(id) ?? id)
        .split(' ');
      if (words[0] === 'top') {
        await until(
          'the first steps',
          async () =>
            (await client.job(await newestJob())).progress.imagesPerSecond > 0 ? true : null,
          90_000,
        );
      }
      if (words[0] === 'predict') {
        const files = lines.flatMap((line) => /^(\S+)\/(\S+\.png)/.exec(line)?.[2] ?? []);
        await writePictures(words.at(-1) ?? '', 'glyphs', files);
      }
      const { code, stdout, stderr } = await home.run(words, { deadlineMs: 240_000 });
      expect(code, `${command}\n${stderr}`).toBe(0);
      if (words[0] === 'dataset') {
        classes = (await client.dataSet('glyphs')).manifest?.classes ?? classes;
      }
      if (words[0] === 'submit') {
        const [shown = ''] = /job-[0-9a-z]+/.exec(lines.join('\n')) ?? [];
        ids.set(shown, await newestJob());
      }
      const printed = `${stderr}${stdout}`.split('\n').map((line) => shapeOf(line, classes));
      expect(lines.length, command).toBeGreaterThan(0);
      for (const line of lines) expect(printed, command).toContain(shapeOf(line, classes));
    }
  });
});
