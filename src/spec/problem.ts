/**
 * A problem of a spec is data, never an exception: one list for what the schema, the rules and the API server say.
 */
export type Severity = 'error' | 'warning';

/** Where in the user's file a problem stands. Lines and columns count from 1. */
export interface Position {
  /** File name as the user gave it, `-` for standard input, `configmap/NAME` for a live object. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where in a file that the spec names: the message says so too, for whoever does not see the file. */
export interface InnerPosition {
  /** Data key of the ConfigMap. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  /** Stable code, listed in docs/errors.md. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, one sentence without a full stop; quotes the value. */
  readonly message: string;
  /** Field path inside the spec, such as `drain.pods.max` or `job.env[2].name`; absent for a whole document. */
  readonly path?: string;
  readonly position?: Position;
  readonly inside?: InnerPosition;
  /** What to do about it. */
  readonly hint?: string;
}
