/** What goes wrong with SQS, in the words that a spec's status can carry. */
import { asError } from '../../../lib/clock.ts';
import type { DepthProblem } from '../../../plan/observed.ts';
import { withoutSecret } from '../error-text.ts';
import type { SqsSettings } from '../sqs-settings.ts';

/**
 * What an error means for who asked.
 * - `handle`: the receipt handle leads to nothing that is in flight: the message is visible again, or deleted.
 * - `limit`: SQS does not let a message be held any longer.
 * - `size`: the message is larger than its queue takes.
 * - `throttled`: asked too often, or too much is in flight; nothing is wrong with the queue.
 * - `other`: see `problem`.
 */
export type SqsErrorKind = 'handle' | 'limit' | 'size' | 'throttled' | 'other';

export class SqsError extends Error {
  readonly problem: DepthProblem;
  readonly kind: SqsErrorKind;

  constructor(problem: DepthProblem, message: string, kind: SqsErrorKind = 'other') {
    super(message);
    this.name = 'SqsError';
    this.problem = problem;
    this.kind = kind;
  }
}

/** An error of the SDK, explained; secrets never come out, whatever the server echoes. */
export function explain(error: unknown, settings: SqsSettings): SqsError {
  if (error instanceof SqsError) return error;
  const { name, code, status, message } = factsOf(error);
  const text = withoutSecret(withoutSecret(message, settings.credentials?.secretAccessKey), settings.credentials?.sessionToken);
  return byName(name, text) ?? byNetwork(code ?? name, text, settings) ?? byStatus(status, name, text);
}

/**
 * By the code that SQS answers, of its JSON protocol, or of the one before (`AWS.SimpleQueueService.NonExistentQueue`),
 * which other implementations still speak.
 */
function byName(name: string, text: string): SqsError | undefined {
  const code = name.replace(/^.*[.#]/, '');
  if (/^(QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently)$/.test(code)) return new SqsError('QueueNotFound', `there is no such queue: ${text}`);
  if (/^(ReceiptHandleIsInvalid|MessageNotInflight)$/.test(code)) return new SqsError('QueueUnreachable', text, 'handle');
  if (/^(RequestThrottled|ThrottlingException|Throttling|TooManyRequestsException|OverLimit|KmsThrottled|RequestLimitExceeded)$/.test(code)) return new SqsError('QueueUnreachable', `SQS asks for patience: ${text}`, 'throttled');
  if (/^(BatchRequestTooLong)$/.test(code)) return new SqsError('QueueUnreachable', text, 'size');
  if (/^(InvalidParameterValue|InvalidParameterCombination)/.test(code)) return byParameter(text);
  if (/^(CredentialsProviderError|CredentialsError|TokenProviderError)$/.test(code)) return new SqsError('QueueForbidden', `there are no credentials: ${text}`);
  if (/^(UnsupportedOperation|InvalidAction|InvalidAddress)$/.test(code)) return new SqsError('QueueUnsupported', text);
  if (/AccessDenied|Forbidden|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClient|ExpiredToken|InvalidSecurity|MissingAuthenticationToken|IncompleteSignature|InvalidAccessKeyId|OptInRequired/.test(code)) return new SqsError('QueueForbidden', `SQS refuses: ${text}`);
  return undefined;
}

/** In practice SQS answers InvalidParameterValue where its manual names codes of their own; the text tells them apart. */
function byParameter(text: string): SqsError {
  if (/beyond the limit/i.test(text)) return new SqsError('QueueUnreachable', text, 'limit');
  if (/receipt ?handle|message does not exist/i.test(text)) return new SqsError('QueueUnreachable', text, 'handle');
  if (/must be shorter than/i.test(text)) return new SqsError('QueueUnreachable', text, 'size');
  return new SqsError('QueueUnsupported', text);
}

function byNetwork(code: string, text: string, { endpoint, region }: SqsSettings): SqsError | undefined {
  const where = endpoint ?? `SQS in ${region}`;
  switch (code) {
    case 'ECONNREFUSED':
      return new SqsError('QueueUnreachable', `${where} refuses connections`);
    case 'ENOTFOUND':
      return new SqsError('QueueUnreachable', `there is no host of ${where}`);
    case 'EAI_AGAIN':
      return new SqsError('QueueUnreachable', `the host of ${where} cannot be looked up now`);
    case 'AbortError':
    case 'TimeoutError':
    case 'ETIMEDOUT':
      return new SqsError('QueueUnreachable', `${where} did not answer in time`);
    default:
      return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code) ? new SqsError('QueueUnreachable', `the certificate of ${where} was not accepted: ${text}`) : undefined;
  }
}

function byStatus(status: number | undefined, name: string, text: string): SqsError {
  if (status === 401 || status === 403) return new SqsError('QueueForbidden', `SQS refuses: ${text}`);
  return new SqsError('QueueUnreachable', `${name}: ${text}`);
}

interface Facts {
  readonly name: string;
  /** Of the network or of TLS. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly message: string;
}

function factsOf(error: unknown): Facts {
  const { name, message } = asError(error);
  // A name with several addresses fails with one error for each.
  if (error instanceof AggregateError && error.errors.length > 0 && message === '') return factsOf(error.errors[0]);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { name, code, status: statusOf(error), message: firstLine(message) };
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** Signatures that do not match are explained on many lines, with all that was signed. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
