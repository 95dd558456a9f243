import type { Container, EnvVarSource } from 'kubernetes-types/core/v1.js';

/** Where values come from that a manifest only refers to. */
export interface ValueSources {
  /** Of the Pod, such as `metadata.name`. */
  readonly field: (path: string) => string;
  readonly secret: (name: string, key: string) => Promise<string>;
}

/** A container's variables as the kubelet makes them: in order, with `$(NAME)` of earlier ones. */
export async function containerEnvironment(
  { env = [] }: Container,
  sources: ValueSources,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { name, value = '', valueFrom } of env) {
    values[name] =
      valueFrom === undefined ? expand(value, values) : await read(name, valueFrom, sources);
  }
  return values;
}

/** `$$(NAME)` is `$(NAME)` itself; a name that is not known stays as it is. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$?\$\(([A-Za-z0-9_.-]+)\)/g, (found, name: string) =>
    found.startsWith('$$') ? found.slice(1) : (values[name] ?? found),
  );
}

async function read(
  name: string,
  { fieldRef, secretKeyRef }: EnvVarSource,
  { field, secret }: ValueSources,
): Promise<string> {
  if (fieldRef !== undefined) return field(fieldRef.fieldPath);
  if (secretKeyRef?.name !== undefined) return secret(secretKeyRef.name, secretKeyRef.key);
  throw new Error(`variable ${name} comes from a source that this agent does not know`);
}
