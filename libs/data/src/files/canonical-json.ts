/**
 * JSON with sorted keys and no white space, so that equal values have equal text. For plain data:
 * null, booleans, finite numbers, strings, arrays, objects. (As RFC 8785, which orders keys by
 * UTF-16 code units and writes numbers as ECMAScript does.)
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
