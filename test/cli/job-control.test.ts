import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jobViewSchema, type JobView } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliChecks } from '../support/cli-checks.js';
import { CliHome } from '../support/cli.js';

const JOB = `
name: tiny
model: { family: resnet-cifar, depth: 8 }
data: { dataSet: tiny }
training: { epochs: 2, learningRate: 0.05 }
lanes: { count: 2, size: 16 }
`;
/** Settings that make of it a job that goes on until it is cancelled. */
const ENDLESS = ['--set', 'training.epochs=10000', 'name=endless'];

let home: CliHome;
let cli: CliChecks;

beforeAll(async () => {
  home = await CliHome.make();
  cli = new CliChecks(home);
  await writeFile(join(home.directory, 'job.yaml'), JOB);
  const up = home.start(['up', '--workers', '2', '--port', '0', '-o', 'json']);
  await up.says('"url"');
  const sizes = ['--train-samples', '210', '--test-samples', '40'];
  await cli.succeed('dataset', 'add', 'tiny', '--format', 'glyphs', ...sizes);
});
afterAll(async () => {
  await home.remove();
});

function untilState(id: string, state: JobView['state']): Promise<JobView> {
  return cli.untilJob(`job ${id} is ${state}`, id, (job) => job.state === state);
}

async function submitEndless(): Promise<JobView> {
  const { id } = await cli.json(jobViewSchema, 'submit', 'job.yaml', ...ENDLESS);
  return cli.untilJob('its first steps', id, ({ progress }) => progress.step > 2);
}

describe('a job that trains', () => {
  it('pause frees the workers, resume goes on', async () => {
    const { id } = await submitEndless();
    expect(await cli.json(jobViewSchema, 'pause', id)).toMatchObject({ id });
    await untilState(id, 'paused');
    expect((await cli.succeed('resume', id)).stdout).toBe(`${id} pending\n`);
    await untilState(id, 'running');
    await cli.succeed('cancel', id);
    await untilState(id, 'cancelled');
  });

  it('logs, cancel and resume of a job that trains', async () => {
    const { id } = await submitEndless();
    // It ends, although the job goes on.
    expect((await cli.succeed('logs', id)).stdout).toMatch(/epoch 1\/10000 step 1\/70000/);

    const followers = [home.start(['logs', '-f', id]), home.start(['logs', '-f', id])] as const;
    await Promise.all(followers.map((follower) => follower.says('training from')));
    followers[0].signal('SIGINT');
    const left = await followers[0].result();
    expect(left).toMatchObject({ code: 130 });
    expect(left.stderr).toContain('the job goes on');
    expect(await cli.refusal(4, 'resume', id)).toContain('(JOB_NOT_RESUMABLE)');

    expect(await cli.json(jobViewSchema, 'cancel', id)).toMatchObject({ id });
    const stopped = await untilState(id, 'cancelled');
    expect(await followers[1].result()).toMatchObject({ code: 0, stderr: '' });
    expect(await cli.refusal(4, 'cancel', id)).toContain('(JOB_FINAL)');

    expect((await cli.succeed('resume', id)).stdout).toBe(`${id} pending\n`);
    const resumed = await cli.untilJob(
      'the second attempt',
      id,
      ({ progress }) => progress.step > stopped.progress.step,
    );
    expect(resumed.attempt).toBe(2);
    expect((await cli.succeed('logs', id)).stdout).toContain(
      `training from step ${stopped.progress.step} on`,
    );
    await cli.succeed('cancel', id);
    await untilState(id, 'cancelled');
  });

  it('submit --follow of a job that is cancelled ends with a code of its own', async () => {
    const follower = home.start(['submit', 'job.yaml', '--follow', ...ENDLESS]);
    await follower.says('training from');
    const id = /^job (\S+)$/m.exec(follower.stderr)?.[1] ?? '';
    await cli.succeed('cancel', id);
    const { code, stderr, stdout } = await follower.result();
    expect(code).toBe(6);
    expect(stdout).toMatch(/^state +cancelled - cancelled by a user$/m);
    expect(stderr).toContain(`next: skipring resume ${id}`);
  });
});
