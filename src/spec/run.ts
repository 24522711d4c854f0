/** A Run as the rest of job-chief sees it: a request that a person or git wrote. What users write is run-schema.ts. */
import type { JsonObject } from '../lib/json.ts';

/** What can be run. */
export interface RunTarget {
  readonly kind: 'workflow' | 'template';
  /** Logical name. */
  readonly name: string;
}

export interface RunSpec {
  readonly kind: 'Run';
  /** Logical name of the request. */
  readonly name: string;
  readonly hash: string;
  readonly target: RunTarget;
  readonly parameters: JsonObject;
  /** Why the run is to end; undefined: it is not. */
  readonly cancel: string | undefined;
  /** By the names of steps. */
  readonly approvals: Readonly<Record<string, 'approved' | 'rejected'>>;
  /** Larger runs first where several wait. */
  readonly priority: number;
  /** Nothing of it starts; what runs may finish. */
  readonly suspend: boolean;
}
