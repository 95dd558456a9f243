import { join } from 'node:path';
import { ProvisionError } from '../errors.js';
import { findProgram, runProgram, type ProgramResult } from '../machine/run-program.js';
import type { BindingPackages } from './package.js';

/** TensorFlow's shared libraries and headers as its wheel lays them out. */
export function tensorflowLibraryDir(componentDirectory: string): string {
  return join(componentDirectory, 'tensorflow');
}

/**
 * Arguments of a GCC-like C++ compiler that build the binding as `output`. It links TensorFlow's
 * libraries where they lie and finds them there again at run time (rpath).
 */
export function compilerArguments(
  packages: BindingPackages,
  tensorflowDir: string,
  output: string,
): string[] {
  return [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', '-s', '-w'],
    ...['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
    ...['-I', packages.nodeApiIncludeDir, '-I', join(tensorflowDir, 'include')],
    ...packages.sources,
    ...['-o', output],
    join(tensorflowDir, 'libtensorflow_cc.so.2'),
    join(tensorflowDir, 'libtensorflow_framework.so.2'),
    `-Wl,-rpath,${tensorflowDir}`,
  ];
}

/** A way to compile. */
export interface Compiler {
  readonly name: string;
  run(args: readonly string[]): Promise<ProgramResult>;
}

const COMPILE_DEADLINE_MS = 15 * 60_000;

/** The C++ compilers of the machine, preferred first. */
export function systemCompilers(searchPath: readonly string[], scratchDir: string): Compiler[] {
  const env = { PATH: searchPath.join(':'), TMPDIR: scratchDir, LC_ALL: 'C' };
  return ['g++', 'c++', 'clang++'].flatMap((name) => {
    const program = findProgram(name, searchPath);
    if (program === undefined) return [];
    const run = (args: readonly string[]): Promise<ProgramResult> =>
      runProgram(program, args, { env, deadlineMs: COMPILE_DEADLINE_MS });
    return [{ name: program, run }];
  });
}

/**
 * The compiler of the `zig` component. It brings its own C++ library, linked statically, and builds
 * for the glibc 2.28 that every supported Node.js needs itself.
 */
export function zigCompiler(zigComponentDir: string, scratchDir: string): Compiler {
  const program = join(zigComponentDir, 'ziglang', 'zig');
  const cache = join(scratchDir, 'zig-cache');
  const env = {
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: cache,
    TMPDIR: scratchDir,
    LC_ALL: 'C',
  };
  return {
    name: 'zig c++',
    run: (args) =>
      runProgram(program, ['c++', '-target', 'x86_64-linux-gnu.2.28', ...args], {
        env,
        deadlineMs: COMPILE_DEADLINE_MS,
        cwd: scratchDir,
      }),
  };
}

/**
 * Tries the compilers in turn until one succeeds; one that is there may be too old or incomplete.
 *
 * @param compilers called for lazily, because the last one may have to be downloaded first.
 * @returns the name of the compiler that built `output`.
 * @throws ProvisionError `COMPILE_FAILED` with the end of what each compiler said.
 */
export async function compile(
  compilers: AsyncIterable<Compiler>,
  args: readonly string[],
): Promise<string> {
  const failures: string[] = [];
  for await (const compiler of compilers) {
    const { status, stderr } = await compiler.run(args);
    if (status === 0) return compiler.name;
    failures.push(`${compiler.name} (status ${status ?? 'none'}):\n${stderr.slice(-2000)}`);
  }
  throw new ProvisionError(
    'COMPILE_FAILED',
    `the binding to TensorFlow could not be built: ${failures.join('\n') || 'no compiler'}`,
    'install g++ 9 or later, or set SKIPRING_COMPILER=provisioned',
  );
}
