import { PhiloxStream, type SweepParameter, type SweepSpec, type Trial } from '@skipring/protocol';

type Values = Trial['parameters'];
type Value = Values[string];

/** Streams of random numbers that belong to other purposes have other first numbers. */
const PURPOSE = 0x5357;

/** The combinations of a sweep, by index: a function of the spec alone. */
export function combinations({ parameters, strategy, seed }: SweepSpec): Values[] {
  const entries = Object.entries(parameters);
  if (strategy.kind === 'grid') return grid(entries);
  return Array.from({ length: strategy.trials }, (_, index) =>
    Object.fromEntries(
      entries.map(([field, parameter], place) => [
        field,
        draw(parameter, new PhiloxStream(seed, PURPOSE, index, place)),
      ]),
    ),
  );
}

/** The last parameter changes fastest. */
function grid(entries: readonly [field: string, parameter: SweepParameter][]): Values[] {
  return entries.reduce<Values[]>(
    (all, [field, parameter]) =>
      'values' in parameter
        ? all.flatMap((values) => parameter.values.map((value) => ({ ...values, [field]: value })))
        : all,
    [{}],
  );
}

function draw(parameter: SweepParameter, random: PhiloxStream): Value {
  const uniform = random.nextFloat();
  if ('values' in parameter) {
    const { values } = parameter;
    return values[Math.floor(uniform * values.length)] ?? values[0] ?? 0;
  }
  const { min, max, scale, integer } = parameter;
  // An integer of a range is as likely as every other.
  if (integer && scale === 'linear') return Math.floor(min + uniform * (max - min + 1));
  const value = scale === 'log' ? min * (max / min) ** uniform : min + uniform * (max - min);
  return integer ? Math.round(value) : value;
}

/** How many rungs there are: the last one has trials left of the factor, each with the full length. */
export function numRungs({ strategy }: SweepSpec): number {
  if (strategy.kind !== 'halving') return 1;
  let count = 1;
  for (let left = strategy.trials; left >= strategy.factor; count += 1) {
    left = Math.floor(left / strategy.factor);
  }
  return count;
}

/**
 * The job spec of a trial: the sweep's job with the trial's values, its own name and, of a rung before
 * the last, a share of the steps or epochs. What it holds is checked when it is submitted.
 */
export function trialSpec(
  sweep: SweepSpec,
  trial: Pick<Trial, 'index' | 'rung' | 'parameters'>,
): unknown {
  const { apiVersion, name, job, strategy } = sweep;
  const { index, rung, parameters } = trial;
  const spec = structuredClone(job);
  for (const [field, value] of Object.entries(parameters)) setField(spec, field.split('.'), value);
  if (strategy.kind === 'halving') {
    shorten(spec, strategy.factor ** (numRungs(sweep) - 1 - rung));
  }
  const suffix = strategy.kind === 'halving' ? `${rung}-${index}` : String(index);
  return { ...spec, apiVersion, name: `${name}-${suffix}` };
}

function setField(spec: Record<string, unknown>, path: readonly string[], value: Value): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    spec[key] = value;
    return;
  }
  const inner = spec[key];
  const target = isRecord(inner) ? inner : {};
  spec[key] = target;
  setField(target, rest, value);
}

/** At least one step or epoch is left. */
function shorten({ training }: Record<string, unknown>, divisor: number): void {
  if (!isRecord(training)) return;
  for (const field of ['steps', 'epochs']) {
    const length = training[field];
    if (typeof length === 'number') training[field] = Math.max(1, Math.round(length / divisor));
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
