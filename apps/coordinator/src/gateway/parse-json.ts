/** The value that UTF-8 JSON text stands for; null when it is not JSON. */
export function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return null;
  }
}
