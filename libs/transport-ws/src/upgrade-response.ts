/** What a server answers to a request for an upgrade. */
export interface UpgradeResponse {
  readonly status: number;
  /** By name in lower case; of a repeated header the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes up to the end of the empty line. */
  readonly headBytes: number;
}

const END = Buffer.from('\r\n\r\n');
const MAX_HEADERS = 100;

/**
 * Reads the head of a response from the first bytes of a stream; null while its end is not there.
 * @throws Error if it is no HTTP/1.1 response.
 */
export function parseUpgradeResponse(bytes: Buffer): UpgradeResponse | null {
  const end = bytes.indexOf(END);
  if (end < 0) return null;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 ([1-5]\d\d)(?: .*)?$/.exec(statusLine)?.[1];
  if (status === undefined) throw new Error('the answer is no HTTP/1.1 response');
  if (lines.length > MAX_HEADERS) throw new Error(`the answer has ${lines.length} headers`);
  const headers = lines.map((line): [string, string] => {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error('the answer has a broken header');
    return [name.toLowerCase(), value];
  });
  return { status: Number(status), headers: new Map(headers), headBytes: end + END.byteLength };
}
