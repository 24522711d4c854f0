/** What the shell sees. Every subcommand uses the same numbers. */
export const exitCode = {
  /** Done, and the answer is yes. */
  ok: 0,
  /** Done, and the answer is no: problems found, a connection that does not work, a run that failed or was cancelled. */
  no: 1,
  /** The command line or the configuration cannot be used, or the command could not do its work. */
  error: 2,
  /** What was waited for did not happen in time. */
  timedOut: 3,
} as const;

/** An error whose message is all that the user needs: printed without a stack. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

/** The cluster did not answer, or not as it should: the same question may be worth asking again. */
export class NoAnswer extends UserError {
  override readonly name = 'NoAnswer';
}
