/** Everything that a round of a Run may look at: who defines it, the record that it asked for, and what it asks to run. */
import type { RecordsProblem } from '../workflow/observed.ts';
import type { Claim, Refusal, SpecKey } from '../observed.ts';
import type { ObservedRecord } from '../run/record.ts';

export interface ObservedRequest {
  readonly key: SpecKey;
  readonly claims: readonly Claim[];
  /** undefined: records are read. Else why they are not: nothing is asked for, nothing is concluded. */
  readonly recordsUnknown: RecordsProblem | undefined;
  /** The record of the claim that won. */
  readonly record: ObservedRecord | undefined;
  /** Its name was asked for, and the cache does not show it yet. */
  readonly reserved: boolean;
  /** What defines the template or workflow that the winner names; undefined: nothing does. */
  readonly target: Claim | undefined;
  readonly refusal: Refusal | undefined;
}
