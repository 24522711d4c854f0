/** What goes wrong with a client. */
import { asError } from '../lib/clock.ts';
import { NoAnswer, UserError } from '../cli/exit-code.ts';

/**
 * `Refused`: the same call will fail again, since what it names is not there, its parameters do not fit, or a right is
 * missing. `NoAnswer`: nobody knows whether it took effect, and it may be made again (`submit` with its key). `TimedOut`:
 * what was waited for did not happen in time.
 */
export type ClientErrorCode = 'Refused' | 'NoAnswer' | 'TimedOut';

/** An error whose message says what is wrong, and what to do. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the command line would tell a person, as an error for a program. Bugs stay what they are. */
export function clientError(thrown: unknown): Error {
  if (thrown instanceof NoAnswer) return new ClientError('NoAnswer', thrown.message, { cause: thrown.cause });
  // The way to give a parameter on a command line helps nobody here.
  if (thrown instanceof UserError) return new ClientError('Refused', withCause(thrown).replaceAll(/: -p \S+=…/g, ''), { cause: thrown.cause });
  return asError(thrown);
}

function withCause({ message, cause }: Error): string {
  return cause instanceof Error && !message.includes(cause.message) ? `${message}: ${cause.message}` : message;
}
