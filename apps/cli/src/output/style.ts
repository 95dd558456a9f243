const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = (name: keyof typeof codes, text: string) => string;

/** ANSI colours, or none. */
export function makeStyle(colour: boolean): Style {
  return (name, text) => (colour ? `\u001b[${codes[name]}m${text}\u001b[0m` : text);
}
