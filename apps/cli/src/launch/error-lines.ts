const MAX_LINES = 8;
const MAX_LINE_CHARACTERS = 500;
/** pino's number for `error`; `fatal` is above. */
const ERROR_LEVEL = 50;

/** The last lines in which a child process told of errors. */
export class ErrorLines {
  private readonly lines: string[] = [];

  /** A line of standard error, as it is. */
  addPlain(text: string): void {
    if (text.trim() === '') return;
    const isLong = text.length > MAX_LINE_CHARACTERS;
    this.lines.push(isLong ? `${text.slice(0, MAX_LINE_CHARACTERS)}…` : text);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }

  /** A line of the JSON log; what is no error is passed over. */
  addLogged(line: Readonly<Record<string, unknown>>): void {
    const { level, msg, err } = line;
    if (typeof level !== 'number' || level < ERROR_LEVEL) return;
    const cause =
      typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : '';
    this.addPlain([typeof msg === 'string' ? msg : '', cause].filter(Boolean).join(': '));
  }

  /** One line each, indented, behind a line break; empty when there are none. */
  toString(): string {
    return this.lines.map((line) => `\n  ${line}`).join('');
  }
}
