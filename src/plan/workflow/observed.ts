/** Everything that a round of a workflow may look at: what defines it, and its runs as far as their metadata tells. */
import type { Shortage } from '../limits/room.ts';
import type { Calls, Claim, Refusal, SpecKey, TemplateVerdict } from '../observed.ts';
import type { ObservedRecord } from '../run/record.ts';

/** Why records are not read. */
export interface RecordsProblem {
  readonly reason: 'Forbidden' | 'RecordsUnread' | 'RecordsOff';
  readonly message: string;
}

export interface ObservedWorkflow {
  readonly key: SpecKey;
  readonly claims: readonly Claim[];
  /** All of its records. */
  readonly records: readonly ObservedRecord[];
  /** By name of the record: until when its Jobs and sub-runs are to stay, which go with it. Only what somebody wrote on those. */
  readonly keptBy?: ReadonlyMap<string, number>;
  /** Calls before deletions. */
  readonly calls?: Calls;
  /** undefined: records are read. Else why they are not: nothing is started, nothing is concluded. */
  readonly recordsUnknown: RecordsProblem | undefined;
  /** Names of records that were asked for and that the cache does not show yet. */
  readonly reservations: ReadonlySet<string>;
  readonly verdict: TemplateVerdict | undefined;
  readonly refusal: Refusal | undefined;
  readonly unread: boolean;
  /** What runs ask people for, by the name of their record: a sentence each. */
  readonly asks?: ReadonlyMap<string, string>;
  /** When this process began to look after the workflow: scheduled times before are missed ones of a downtime. */
  readonly since: number;
  /**
   * When this process first saw the winning spec as it is now (its hash), where it saw another one before; absent: the
   * same as `since`. A timetable that is new counts from here (docs/adr/0010-schedules.md).
   */
  readonly specSince?: number;
  /** UIDs of finished runs whose Run is still there, or may be: without their record it would run again. */
  readonly asked?: ReadonlySet<string>;
  /** UIDs of finished sub-runs whose outcome is not in the record of the run that waits for them: it would miss them. */
  readonly awaited?: ReadonlySet<string>;
  /** UIDs of runs that messages started which are in hand: a message that comes again must meet its run. */
  readonly inHand?: ReadonlySet<string>;
  /** What the limits of the instance keep from starting altogether. */
  readonly halt?: Shortage | undefined;
}
