import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { python } from './python.mjs';

/** Longer than anything takes that is measured at one time. */
const ANSWER_DEADLINE_MS = 1_800_000;

/**
 * One side of a comparison in a process of its own: it sends `{ ready }` with what there is to tell
 * about itself, and then answers every message with `{ elapsedMs }`.
 */
export class Side {
  #child;

  /** Resolves once the side is ready; `about` is what it told. */
  static start(module, ...args) {
    return Side.startWith([], module, ...args);
  }

  /** The same with options of Node.js. */
  static async startWith(execArgv, module, ...args) {
    const side = new Side();
    side.#child = fork(module, args, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    side.about = (await side.#answer()).ready;
    return side;
  }

  /** The same in Python, which reads and answers lines of JSON. */
  static async python(script, ...args) {
    const side = new Side();
    side.#child = spawn(python, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const child = side.#child;
    createInterface({ input: child.stdout }).on('line', (line) =>
      child.emit('message', JSON.parse(line)),
    );
    child.send = (request) => child.stdin.write(`${JSON.stringify(request)}\n`);
    child.disconnect = () => child.stdin.end();
    side.about = (await side.#answer()).ready;
    return side;
  }

  async measure(request = {}) {
    return (await this.ask(request)).elapsedMs;
  }

  /** Sends `request` and resolves with the whole answer; rejects when none comes in time. */
  ask(request, deadlineMs = ANSWER_DEADLINE_MS) {
    this.#child.send(request);
    return this.#answer(deadlineMs);
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  /** The next message; rejects when the process ends first. */
  #answer(deadlineMs = ANSWER_DEADLINE_MS) {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const fail = (how) => {
        settle();
        reject(new Error(`${child.spawnargs[1]} ${how}`));
      };
      const onExit = (code) => fail(`ended with code ${code}`);
      const onMessage = (message) => {
        settle();
        resolve(message);
      };
      const timer = setTimeout(() => fail(`gave no answer in ${deadlineMs} ms`), deadlineMs);
      const settle = () => {
        clearTimeout(timer);
        child.off('exit', onExit).off('message', onMessage);
      };
      child.once('exit', onExit);
      child.once('message', onMessage);
    });
  }
}

/** The other end: tells the parent that this process is ready, then measures when it is asked. */
export function serve(about, measure) {
  process.on('message', async (request) => {
    process.send({ elapsedMs: await measure(request) });
  });
  process.on('disconnect', () => process.exit());
  process.send({ ready: about });
}

/** Milliseconds that `body` takes. */
export async function timed(body) {
  const start = performance.now();
  await body();
  return performance.now() - start;
}
