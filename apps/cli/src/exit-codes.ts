/** What the command tells the shell; part of its interface. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  /** The coordinator could not be reached. */
  connection: 3,
  /** The coordinator refused the request. */
  refused: 4,
  jobFailed: 5,
  jobCancelled: 6,
  /** This machine lacks something that is needed. */
  environment: 7,
  /** `chaos`: a disturbed job did not end as the undisturbed one, or something was left over. */
  chaosFailed: 8,
  interrupted: 130,
} as const;

/** An expected end of a command, with its exit code and a hint on what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly exitCode: number,
    message: string,
    readonly hint: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
