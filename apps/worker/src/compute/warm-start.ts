import { decodeSafetensors, fromTorch, sha256 } from '@skipring/checkpoint';
import type { InitialWeights, JobSpec } from '@skipring/protocol';
import { EngineError, OPTIMIZER_PREFIX, type Engine, type TensorMap } from '@skipring/trainer';

const HEAD = 'classifier/';
const MAX_NAMED = 10;

/**
 * Writes the tensors of a safetensors file, with own names or PyTorch's, into a new engine. The same
 * file gives the same bits on every worker.
 *
 * @returns what was loaded, in words
 * @throws EngineError WEIGHTS_MISMATCH with everything that does not match
 */
export function warmStart(
  engine: Engine,
  file: Uint8Array,
  weights: InitialWeights,
  { family }: JobSpec['model'],
): string {
  const found = sha256(file);
  if (found !== weights.sha256) {
    throw mismatch([`the file has SHA-256 ${found}, expected ${weights.sha256 ?? 'none'}`]);
  }
  const state = engine.readState();
  const names = [...state.keys()].filter((name) => !name.startsWith(OPTIMIZER_PREFIX));
  const given = decodeSafetensors(file);
  const isOwn = names.some((name) => given.has(name));
  const shapes = new Map(names.map((name) => [name, state.get(name)?.shape ?? []]));
  const source = isOwn ? given : fromTorch(given, family, shapes);
  const kept = names.filter((name) => weights.head === 'keep' && name.startsWith(HEAD));
  const wanted = names.filter((name) => !kept.includes(name));
  const problems = wanted.flatMap((name) => {
    const tensor = source.get(name);
    if (tensor === undefined) return [`${name} is missing`];
    const shape = tensor.shape.join();
    const expected = state.get(name)?.shape.join() ?? '';
    return shape === expected ? [] : [`${name} has shape [${shape}], expected [${expected}]`];
  });
  const unexpected = isOwn ? [...given.keys()].filter((name) => !state.has(name)) : [];
  const surplus = given.size - source.size;
  problems.push(...unexpected.map((name) => `${name} is unexpected`));
  if (!isOwn && surplus > 0) problems.push(`${surplus} tensors are unexpected`);
  if (problems.length > 0) throw mismatch(problems);
  const loaded: TensorMap = new Map(
    [...state].map(([name, tensor]) => [
      name,
      wanted.includes(name) ? (source.get(name) ?? tensor) : tensor,
    ]),
  );
  engine.writeState(loaded);
  const from = weights.job ?? weights.file ?? '';
  const rest = kept.length === 0 ? '' : `; from the seed: ${kept.join(', ')}`;
  return `initial weights from ${from}: ${wanted.length} tensors${rest}`;
}

function mismatch(problems: readonly string[]): EngineError {
  const more = problems.length - MAX_NAMED;
  const named = problems.slice(0, MAX_NAMED).join('; ');
  return new EngineError(
    'WEIGHTS_MISMATCH',
    `the initial weights do not fit the model: ${named}${more > 0 ? `; and ${more} more` : ''}`,
  );
}
