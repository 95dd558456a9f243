/** A stretch of a text; `to`: the page of the job or sweep that it is the id of. */
export interface TextPart {
  readonly text: string;
  readonly to: string | null;
}

const ID = /\b((?:job|sweep)-[0-9a-z]{15,})\b/;

/** Cuts a text at the ids of jobs and sweeps in it. */
export function idsIn(text: string): TextPart[] {
  return text
    .split(ID)
    .map((part) => ({ text: part, to: pageOf(part) }))
    .filter((part) => part.text !== '');
}

function pageOf(part: string): string | null {
  if (!ID.test(part)) return null;
  return part.startsWith('job-') ? `/jobs/${part}` : `/sweeps/${part}`;
}
