import { spawn } from 'node:child_process';
import { once } from 'node:events';

const DEADLINE_MS = 180_000;

/** The program `kubectl`, as the administrator of one cluster. */
export class Kubectl {
  constructor(
    private readonly program: string,
    private readonly kubeconfig: string,
  ) {}

  /** Its standard output. Throws with its messages when it fails. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await this.result(args, '');
    return stdout;
  }

  /** With text on standard input, for `-f -`. Both outputs, as warnings are on the second. */
  async feed(input: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
    return this.result(args, input);
  }

  private async result(
    args: readonly string[],
    input: string,
  ): Promise<{ stdout: string; stderr: string }> {
    const child = spawn(this.program, [`--kubeconfig=${this.kubeconfig}`, ...args], {
      stdio: 'pipe',
      timeout: DEADLINE_MS,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0)
      throw new Error(`kubectl ${args.join(' ')}: status ${code}\n${stdout}${stderr}`);
    return { stdout, stderr };
  }
}
