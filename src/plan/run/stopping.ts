/** What makes a run stop before its time, and what becomes of what is under way then. */
import type { StepSpec } from '../../spec/workflow.ts';
import type { Role, RunDraft } from './draft.ts';
import { withItems, type Line } from './line.ts';
import { toUndo } from './revert.ts';
import { countsAsFailure, hasEnded, isCommanded, stopReason } from './standing.ts';
import type { Attempt, StepState } from './state.ts';
import type { Ending } from './step-reason.ts';

/** Somebody wants the run to end. The first command stays: a second changes nothing. */
export function applyCommands(draft: RunDraft): void {
  if (draft.end || isCommanded(draft.stopping) || !hasOpenParts(draft)) return;
  const command = commandOf(draft);
  if (command) draft.stop({ mode: 'cancel', ...command, at: draft.now });
}

function commandOf({ observed }: RunDraft): { readonly reason: 'RunCancelled' | 'SpecDeleted'; readonly message: string } | undefined {
  const { cancel } = observed.record.commands;
  if (cancel !== undefined) return { reason: 'RunCancelled', message: cancel === '' ? 'the run was cancelled' : `the run was cancelled: ${cancel}` };
  return observed.specGone ? { reason: 'SpecDeleted', message: 'the spec was deleted and onSpecDelete is delete' } : undefined;
}

/** Whether there is anything that a command could keep from happening. What only waits for its last pods has come out as it has. */
function hasOpenParts(draft: RunDraft): boolean {
  const { steps, finally: after } = draft.observed.spec;
  return !hasEnded(draft, steps) || !hasEnded(draft, after) || toUndo(draft).length > 0;
}

/** A step failed, and the spec says what follows from that. */
export function applyFailures(draft: RunDraft): void {
  const { spec } = draft.observed;
  if (draft.stopping || spec.onFailure === 'continue') return;
  const failed = spec.steps.find((step) => countsAsFailure(step, draft.step(step.name)?.outcome));
  if (!failed) return;
  const why = draft.step(failed.name)?.message ?? '';
  draft.stop({ mode: spec.onFailure, reason: 'StepFailed', message: `step "${failed.name}" failed${why === '' ? '' : `: ${why}`}`, at: draft.now });
  // Also steps that have an expression, which may start after this.
  if (spec.onFailure === 'cancel') cancelOpen(draft, spec.steps.filter((step) => !startedAfterFailure(draft, step)), 'do');
}

/** Of what is met as an earlier process left it: that process started the step when it had seen the failure. */
function startedAfterFailure(draft: RunDraft, { name, dependsOn }: StepSpec): boolean {
  if (!draft.meets || dependsOn.expression === undefined) return false;
  const { attempts = [], items = [] } = draft.step(name) ?? {};
  const first = (attempts[0] ?? items.find((item) => item.attempts.length > 0)?.attempts[0])?.at;
  const failures = draft.observed.spec.steps.flatMap((step) => {
    const state = draft.step(step.name);
    return countsAsFailure(step, state?.outcome) && state?.at !== undefined ? [state.at] : [];
  });
  return first !== undefined && failures.some((at) => first >= at);
}

/** What is under way ends: its outcome is decided here, and its Jobs and sub-runs are ended for it until they are gone. */
export function cancelUnderWay(draft: RunDraft): void {
  if (draft.stopping?.mode !== 'cancel') return;
  const { steps } = draft.observed.spec;
  const all = isCommanded(draft.stopping);
  cancelOpen(draft, all ? steps : steps.filter(({ dependsOn }) => dependsOn.expression === undefined), 'do');
  if (all) cancelOpen(draft, steps, 'undo');
}

function cancelOpen(draft: RunDraft, steps: readonly StepSpec[], role: Role): void {
  for (const step of steps) {
    const state = draft.state(role, step.name);
    if (state && state.outcome === undefined) draft.set(role, step, cancelled(draft, step, state));
  }
}

function cancelled(draft: RunDraft, step: StepSpec, state: StepState): StepState {
  if (state.items) {
    const items = state.items.map((item): Line => (item.outcome === undefined ? { ...item, ...because(draft), attempts: cancelledAttempts(draft, item.attempts) } : item));
    return withItems(step, state, items, draft.now);
  }
  return { ...state, ...because(draft), at: draft.now, attempts: cancelledAttempts(draft, state.attempts ?? []) };
}

function cancelledAttempts(draft: RunDraft, attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.outcome !== undefined) return attempt;
    draft.unstart(attempt.job);
    return { ...attempt, ...because(draft), endedAt: draft.now };
  });
}

/** The message is the run's: thousands of steps need not repeat it. */
function because({ stopping }: RunDraft): Ending {
  return { outcome: 'cancelled', reason: stopReason(stopping) };
}
