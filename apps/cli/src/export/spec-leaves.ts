/** Every field of a spec that holds no others, by its path, such as `training.epochs`. */
export function specLeaves(value: unknown, path = ''): [field: string, text: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    specLeaves(inner, path === '' ? key : `${path}.${key}`),
  );
}
