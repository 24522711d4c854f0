/** Steps that wait for somebody's word, given as an annotation on the run's record. */
import type { RunDraft } from './draft.ts';
import type { Site } from './line.ts';
import type { Attempt } from './state.ts';
import { endedAs } from './step-reason.ts';
import { timeLimit, type TimeLimit } from './time-limit.ts';

/** An approval that is there before its step is reached counts as well. */
export function foldApproval(draft: RunDraft, { step }: Site, attempt: Attempt): Attempt {
  const { approvals } = draft.observed.record.commands;
  const word = approvals.get(step.name) ?? approvals.get(step.id);
  if (word === 'approved') return { ...attempt, outcome: 'succeeded', endedAt: draft.now };
  if (word === 'rejected') return endedAs(attempt, draft.now, { outcome: 'failed', reason: 'ApprovalRejected', message: 'it was rejected' });
  return overdue(draft, attempt, timeLimit(draft, step)) ?? attempt;
}

/** The attempt, failed, once it has lasted longer than `limit` milliseconds; a limit that cannot be read fails it too. */
export function overdue(draft: RunDraft, attempt: Attempt, limit: TimeLimit): Attempt | undefined {
  if (limit.kind === 'none' || limit.kind === 'wait') return undefined;
  if (limit.kind === 'problem') return endedAs(attempt, draft.now, { outcome: 'errored', reason: limit.reason, message: limit.message });
  const until = attempt.at + limit.milliseconds;
  if (draft.now >= until) return endedAs(attempt, draft.now, { outcome: 'failed', reason: 'Timeout', message: `not ended within its timeout of ${limit.milliseconds / 1000} s` });
  draft.wake(until);
  return undefined;
}
