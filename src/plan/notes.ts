/** What job-chief writes on its Jobs as annotations: read back after a restart, or by kubectl. */

import type { BeforeDelete } from '../spec/common.ts';

/** Outcomes of a Job, the same words everywhere. */
export type Outcome = 'succeeded' | 'failed' | 'errored' | 'notStarted' | 'refused';
export const outcomes: readonly Outcome[] = ['succeeded', 'failed', 'errored', 'notStarted', 'refused'];

/** Annotation job-chief/outcome. */
export interface RecordedOutcome {
  readonly outcome: Outcome;
  /** CamelCase, such as OOMKilled, ErrImagePull, StartTimeout. */
  readonly reason: string;
  readonly message: string;
  readonly exitCode?: number;
  /** `ending`: written when job-chief gave up on the Job. `final`: written when it, or the work of its containers, was seen finished. */
  readonly phase: 'ending' | 'final';
  /** The Job controller's word, where it came later and says otherwise. Recorded, never acted on. */
  readonly verdict?: string;
}

/**
 * Annotation job-chief/upkeep: what looking after the Job needs, as the spec had it when the Job was made, so that it
 * works after the spec was edited or deleted. Milliseconds.
 */
export interface UpkeepNote {
  readonly startTimeout: number;
  readonly timeout?: number;
  readonly succeeded: { readonly count?: number; readonly age?: number };
  readonly failed: { readonly count?: number; readonly age?: number };
  readonly beforeDelete?: BeforeDelete;
}
