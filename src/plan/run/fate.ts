/** How one attempt of a step comes out: the containers' own word first, the Job controller's verdict where that is not enough. */
import type { Json } from '../../lib/json.ts';
import type { OutputSpec } from '../../spec/workflow.ts';
import type { ObservedJob } from '../observed.ts';
import type { Attempt } from './state.ts';

export type Fate = OpenFate | EndedFate;
export interface OpenFate {
  readonly kind: 'open';
  /** When its first container started. */
  readonly ranAt?: number;
}
export interface EndedFate {
  readonly kind: 'ended';
  readonly outcome: 'succeeded' | 'failed' | 'errored' | 'notStarted' | 'refused' | 'cancelled';
  readonly reason: string;
  readonly message: string;
  readonly exitCode?: number;
  readonly ranAt?: number;
  readonly endedAt: number;
  readonly outputs?: Readonly<Record<string, Json>>;
  /** Of an Indexed Job that failed: which items did. */
  readonly failedItems?: readonly number[];
}

export interface FateRules {
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  /** Items of a forEach that is one Indexed Job; undefined: the Job stands for itself. */
  readonly count: number | undefined;
}

/** What has become of the Job. */
export function fateOf(_job: ObservedJob, _rules: FateRules): Fate {
  return { kind: 'open' };
}

/** Text where the Job controller's verdict contradicts what the attempt was recorded as; undefined: it does not. */
export function laterVerdict(_job: ObservedJob, _attempt: Attempt): string | undefined {
  return undefined;
}

/** Whether the Job counts against maxParallel: its outcome is not known, or a container of it still runs. */
export function takesSlot(job: ObservedJob): boolean {
  return job.finished === undefined;
}
