/** Limits as the rest of job-chief sees them. What users write (and its JSON Schema) is limits-schema.ts. */
import type { StartRate } from './start-rate.ts';

/** Bounds on what an instance starts, whatever asks for it. undefined: no bound of that sort. */
export interface LimitFields {
  /** Live Jobs of the instance. */
  readonly maxJobs: number | undefined;
  /** Live Jobs of each group, by its name: what is not named here is no group. */
  readonly groups: ReadonlyMap<string, number>;
  readonly startRate: StartRate | undefined;
}

export interface LimitsSpec extends LimitFields {
  readonly kind: 'Limits';
  /** Logical name. */
  readonly name: string;
  readonly hash: string;
  /** The instance starts nothing. */
  readonly suspend: boolean;
}
