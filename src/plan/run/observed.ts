/** Everything that a round of one run may look at. */
import type { JsonObject } from '../../lib/json.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { Room } from '../limits/room.ts';
import type { ObservedJob, ObservedPod, Refusal, Reservation } from '../observed.ts';
import type { ObservedRecord } from './record.ts';
import type { RunState } from './state.ts';

export interface ObservedRun {
  readonly record: ObservedRecord;
  /** The spec that the run started with. */
  readonly spec: WorkflowSpec;
  readonly parameters: JsonObject;
  /** As it was decided last in this process, or as the record has it. */
  readonly state: RunState;
  /** Its Jobs by name. */
  readonly jobs: ReadonlyMap<string, ObservedJob>;
  /** Living pods whose Job is gone. */
  readonly orphans: readonly ObservedPod[];
  /** Names that were asked for and that the cache does not show yet. */
  readonly reservations: ReadonlyMap<string, Reservation['state']>;
  /** Jobs and records of which the API server said that they are there, whether or not a round came in time to see them. */
  readonly confirmed: ReadonlySet<string>;
  /** Jobs and records that a live GET did not find, although they had been seen or confirmed. */
  readonly absent: ReadonlySet<string>;
  /** Creates that the API server refused, by Job name. */
  readonly refusals: ReadonlyMap<string, StepRefusal>;
  /** Records of sub-runs, by name. */
  readonly children: ReadonlyMap<string, ObservedRecord>;
  /** What the run that this one repeats came to; undefined unless asked for and readable. */
  readonly earlier: RunState | undefined;
  /** The spec's ConfigMap is gone and its onSpecDelete is delete: the run has to end. */
  readonly specGone: boolean;
  readonly explanations: ReadonlyMap<string, string>;
  /** What the limits of the instance leave; absent: nothing limits it. */
  readonly room?: Room;
}

export interface StepRefusal {
  readonly kind: Refusal['kind'];
  readonly message: string;
  readonly at: number;
  /** How many in a row. */
  readonly count: number;
}
