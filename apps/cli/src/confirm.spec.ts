import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm, type Answers } from './confirm.js';
import { EXIT } from './exit-codes.js';

const { signal } = new AbortController();

function person(answer: string): Answers & { readonly output: PassThrough } {
  const input = new PassThrough();
  input.write(answer);
  return { input, output: new PassThrough(), isTerminal: true };
}

describe('a confirmation', () => {
  it.each(['y\n', 'YES\n'])('is %j of a person', async (answer) => {
    const answers = person(answer);
    await confirm('delete it?', {}, signal, answers);
    expect(String(answers.output.read())).toContain('delete it? [y/N] ');
  });

  it.each(['\n', 'n\n', 'yess\n'])('is not %j', async (answer) => {
    const refused = confirm('delete it?', {}, signal, person(answer));
    await expect(refused).rejects.toMatchObject({ exitCode: EXIT.interrupted });
  });

  it('is --yes where nobody can be asked', async () => {
    const nobody = { ...person(''), isTerminal: false };
    await confirm('delete it?', { yes: true }, signal, nobody);
    const refused = confirm('delete it?', {}, signal, nobody);
    await expect(refused).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: 'delete it? Without a terminal, say --yes',
    });
  });
});
