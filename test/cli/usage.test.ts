import { execFileSync } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliHome, type CliResult } from '../support/cli.js';

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
  const files = {
    'good.yaml':
      'name: a\nmodel: { family: resnet-cifar, depth: 20 }\ndata: { dataSet: d }\ntraining: { epochs: 1 }\n',
    'syntax.yaml': 'name: a\nmodel: { family: resnet-cifar\ntraining: { epochs: 1 }\n',
    'fields.yaml':
      'name: A\nmodel: { family: resnet-cifar, depth: 21 }\ndata: { dataset: d }\ntraining: {}\n',
    'list.yaml': '- 1\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(home.directory, name), text);
  }
});
afterAll(() => home.remove());

/** Exit codes are an interface: 2 usage, 3 coordinator not reached. */
const wrong: readonly [command: string, code: number, message: RegExp][] = [
  ['', 2, /Usage: skipring/],
  ['lst', 2, /unknown command 'lst'\n\(Did you mean list\?\)/],
  ['list --stat running', 2, /unknown option '--stat'\n\(Did you mean --state\?\)/],
  ['list --state runing', 2, /--state runing: expected one of pending, waiting, running/],
  ['list --limit 0', 2, /--limit 0: expected a whole number from 1 to 100000/],
  ['list extra', 2, /too many arguments/],
  ['list -o yaml', 2, /Allowed choices are text, json/],
  ['list --url nonsense', 2, /--url nonsense: expected an address such as http:/],
  ['list', 3, /no coordinator is running in .*\nnext: start one with `skipring up`/],
  ['status', 2, /missing required argument 'job'/],
  ['submit', 2, /expected a job file, --set, or both\nnext: skipring submit --help/],
  ['submit absent.yaml', 2, /cannot read the job file absent\.yaml: no such file or directory/],
  ['submit .', 2, /cannot read the job file \.: it is a directory/],
  ['submit syntax.yaml', 2, /syntax\.yaml: .*line 3, column/],
  ['submit list.yaml', 2, /list\.yaml: expected a mapping of fields/],
  [
    'submit fields.yaml',
    2,
    /not valid\n {2}fields\.yaml:1:1 name: "A": expected lower case letters[^]*\n {2}fields\.yaml:2:32 model\.depth: 21: expected [^]*\n {2}fields\.yaml:3:1 data\.dataSet: \(missing\): expected a string[^]*\n {2}fields\.yaml:3:9 data\.dataset: "d": no such field[^]*\n {2}fields\.yaml:4:1 training\.epochs: \(missing\): expected exactly one of epochs and steps/,
  ],
  ['submit good.yaml --set training', 2, /--set training: expected key\.path=value/],
  ['submit good.yaml --set training.epochs=[1', 2, /--set training\.epochs=\[1: /],
  ['submit good.yaml --set training.epochs=x', 2, /training\.epochs: "x": expected a number/],
  ['submit good.yaml --set name.x=1', 2, /--set name\.x=1: name has no fields to set/],
  ['submit good.yaml', 3, /no coordinator is running/],
  ['dataset', 2, /Usage: skipring dataset/],
  ['dataset add a', 2, /required option '--format <format>' not specified/],
  ['dataset add a --format zip', 2, /format: "zip": expected one of "idx", "cifar10"/],
  ['dataset add a --format idx', 2, /path: \(missing\): expected a string/],
  ['dataset add A --format glyphs', 2, /name: "A": expected lower case letters/],
  ['dataset add a --format glyphs --seed x', 2, /seed: "x": expected a number/],
  ['dataset add a b --format glyphs', 2, /path: ".*\/b": no such field/],
  ['up --workers two', 2, /--workers two: expected a whole number from 0 to 64/],
  ['up --port 70000', 2, /--port 70000: expected a whole number from 0 to 65535/],
  ['demo --epochs 0', 2, /--epochs 0: expected a whole number from 1 to 1000/],
  ['demo --data absent', 2, /--data absent: no such file or directory/],
  ['demo --data good.yaml', 2, /--data good\.yaml: expected a folder/],
  ['metrics JOB --format tensorboard', 2, /--format tensorboard: expected --out/],
  ['metrics JOB --out here', 2, /--format text: expected no --out/],
  ['metrics JOB --format xml', 2, /Allowed choices are text, csv, tensorboard, wandb, mlflow/],
  ['compare JOB', 2, /expected 2 to 20 jobs, not 1/],
  ['top --interval 0', 2, /--interval 0: expected a whole number from 1 to 3600/],
  ['token create a', 2, /required option '--role <role>' not specified/],
  ['token create a --role king', 2, /role: "king": expected one of "viewer", "submitter", "admin"/],
  ['token create A --role viewer', 2, /name: "A": expected lower case letters/],
  ['token create root --role viewer', 2, /name: "root": expected another name/],
  [
    'token create a --role viewer --expires soon',
    2,
    /--expires soon: expected a number of seconds/,
  ],
  ['token rotate a --overlap 1y', 2, /--overlap 1y: expected a number of seconds/],
  ['context add lab --url nonsense', 2, /--url nonsense: expected an address such as http:/],
  ['list --context none', 2, /there is no context none\nnext: skipring context list/],
  ['drain', 2, /missing required argument 'worker'/],
  ['tune-ring --ranks 1', 2, /--ranks 1: expected a whole number from 2 to 64/],
  ['tune-ring --rank 0', 2, /--rank 0: expected --members as well/],
  ['tune-ring --members a:1,b', 2, /--members: "b": expected HOST:PORT, such as/],
  ['tune-ring --members a:1,b:1', 2, /--rank \(missing\): expected a whole number from 0 to 1/],
  ['tune-ring --members a:1,b:1 --rank 2', 2, /--rank 2: expected a whole number from 0 to 1/],
  ['tune-ring --members a:1,b:1 --rank 0', 2, /SKIPRING_JOIN_TOKEN is not set; expected the same/],
];

describe('a wrong command line', () => {
  it.each(wrong)('skipring %s: exit code %i', async (command, code, message) => {
    const result = await home.run(command === '' ? [] : command.split(' '));
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).not.toContain('\u001b');
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('no coordinator', () => {
  it('is told with the address that does not answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    const result = await home.run(['list', '--url', url]);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toMatch(new RegExp(`^error: no answer from ${url}\nnext: `));
  });

  it('that takes requests and never answers can be left with Ctrl-C', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const list = home.start(['list', '--url', url]);
    const [socket] = (await once(server, 'connection')) as [{ destroy(): void }];
    list.signal('SIGINT');
    expect(await list.result()).toEqual({ code: 130, stdout: '', stderr: 'error: interrupted\n' });
    socket.destroy();
    server.close();
  });
});

describe('help and version', () => {
  it('go to standard output, with exit code 0', async () => {
    const help = await home.run(['submit', '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: skipring submit/);
    expect(await home.run(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('contexts', () => {
  it('are kept in a file of their owner alone, and lead commands to a cluster', async () => {
    const env = { XDG_CONFIG_HOME: join(home.directory, 'config') };
    const run = (...args: string[]): Promise<CliResult> => home.run(args, { env });
    const none = await run('context', 'list');
    expect(none).toMatchObject({ code: 0, stderr: '' });
    expect(none.stdout).toContain('skipring context add');
    expect(await run('context', 'add', 'lab')).toMatchObject({ code: 2 });
    const secret = 'a-token-that-is-secret';
    const lab = ['--url', 'http://127.0.0.1:9', '--token', secret];
    expect((await run('context', 'add', 'lab', ...lab)).stdout).toBe('lab is in use\n');
    await run('context', 'add', 'far', '--url', 'http://127.0.0.1:10');
    const { stdout } = await run('context', 'list', '-o', 'json');
    expect(stdout).not.toContain(secret);
    expect(JSON.parse(stdout)).toEqual([
      { name: 'lab', url: 'http://127.0.0.1:9', isCurrent: false, hasToken: true },
      { name: 'far', url: 'http://127.0.0.1:10', isCurrent: true, hasToken: false },
    ]);
    const file = join(env.XDG_CONFIG_HOME, 'skipring', 'contexts.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(secret);

    expect((await run('list')).stderr).toContain('no answer from http://127.0.0.1:10');
    const other = await run('list', '--context', 'lab');
    expect(other.stderr).toContain('no answer from http://127.0.0.1:9\n');
    expect(await run('context', 'use', 'none')).toMatchObject({ code: 2 });
    await run('context', 'use');
    expect((await run('list')).stderr).toContain('no coordinator is running');
    expect(await run('context', 'remove', 'lab')).toMatchObject({ code: 0 });
    expect(await readFile(file, 'utf8')).not.toContain(secret);
    expect(await run('list', '--context', 'lab')).toMatchObject({ code: 2 });
  });
});

describe('completion', () => {
  it('in bash completes commands, their commands and their options', async () => {
    const { stdout } = await home.run(['completion', 'bash']);
    const complete = (...words: string[]): string[] => {
      const script = `${stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_skipring; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
    };
    expect(complete('skipring', 'sub')).toEqual(['submit']);
    expect(complete('skipring', 'dataset', '')).toEqual(
      expect.arrayContaining(['add', 'list', 'show', '--help']),
    );
    expect(complete('skipring', '-o', 'json', 'list', '--st')).toEqual(['--state']);
  });

  it('has scripts for zsh and fish; another shell is refused', async () => {
    expect((await home.run(['completion', 'zsh'])).stdout).toMatch(/^autoload .*bashcompinit/);
    const { stdout } = await home.run(['completion', 'fish']);
    expect(stdout).toContain("-n '__fish_seen_subcommand_from list' -l state\n");
    expect(await home.run(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
  });
});
