/** Everything that is answered instead of what was asked for: RFC 9457, with a code for programs and advice for people. */
import { STATUS_CODES } from 'node:http';
import type { JsonObject } from '../../../lib/json.ts';

/** What went wrong, in one word. docs/http-api.md is held to this list. */
export const problemCodes = {
  InvalidRequest: 'The path, the query or a header does not fit the document of this API.',
  InvalidJson: 'The body is no JSON, or nested too deep.',
  InvalidBody: 'The body does not fit; `errors` names each place.',
  InvalidParameters: 'Values do not fit the declared parameters; `errors` names each place.',
  Unauthorized: 'No token, or none that is known.',
  Forbidden: 'The role of the caller is too small; `role` is the one that is needed.',
  NotFound: 'Nothing is served at this path.',
  UnknownSpec: 'There is no spec of this kind and name.',
  UnknownRun: 'There is no run of this name; retention may have removed its record.',
  UnknownQueue: 'There is no Queue of this name.',
  UnknownMessage: 'Nothing is known of this message: no Job is there for it, and the history of the queue does not have it.',
  UnknownStep: 'The run has no such step.',
  MethodNotAllowed: 'The path is served, but not with this method; `Allow` lists those that are.',
  NotAcceptable: 'The answer comes in none of the media types of `Accept`.',
  KeyInUse: 'The idempotency key was used before, for a run with other parameters.',
  KeysDiffer: 'The header and the body have different idempotency keys.',
  NameInUse: 'Something else has the name that the run would have.',
  NotRequestable: 'The workflow has no `trigger.onRequest: true`.',
  SpecRejected: 'The text of the spec has errors, so that nobody can say whether the request fits it.',
  RunOver: 'The run is over, and cannot be changed any more.',
  RunOpen: 'The run is not over yet.',
  StepEnded: 'The step has its outcome already.',
  NoApproval: 'The step waits for nobody.',
  RunGone: 'The run was deleted meanwhile.',
  TooLarge: 'The body, or the record it would make, is too large.',
  UnsupportedMediaType: 'The body must be `application/json`.',
  Refused: 'The API server refused the record.',
  TooManyRequests: 'The caller asked more often than it may; see `Retry-After`.',
  TooManyStreams: 'As many streams as there may be are open; see `Retry-After`.',
  Failed: 'A bug of job-chief; its log has the cause, under the request id.',
  RecordsOff: 'This installation keeps no records of runs: `records.enabled` is false.',
  Stopping: 'This replica is stopping; another one, or its successor, will answer.',
  NotReady: 'This replica has not read the cluster yet.',
  ApiServer: 'The API server gives no clear answer. What was asked for may or may not have happened: ask again, with the same idempotency key.',
  Missing: 'job-chief lacks a right in the namespace.',
  LogsUnavailable: 'The log cannot be read: no right on pods/log, or the node does not answer.',
} as const;
export type ProblemCode = keyof typeof problemCodes;

/** One place that is wrong. */
export interface PlaceProblem {
  /** In the body, as a URI fragment: `#/parameters/date`. */
  readonly pointer?: string;
  /** In the path, the query or the headers: its name. */
  readonly parameter?: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly PlaceProblem[];
  /** Seconds until it is worth another try. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the document. */
  readonly more?: JsonObject;
}

/** Thrown by whatever answers a request; `detail` is for people, and tells what to do. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(status: number, code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.options = options;
  }

  get headers(): Readonly<Record<string, string>> {
    const { headers, retryAfter } = this.options;
    return { ...headers, ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }) };
  }

  /** The document. */
  body(requestId: string): JsonObject {
    const { errors, more } = this.options;
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      code: this.code,
      requestId,
      ...(errors === undefined ? {} : { errors: errors.map((error) => ({ ...error })) }),
      ...more,
    };
  }
}
