/** A line of attempts, one after the other: of a step, of one of its items, or of the job that undoes it. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { RetrySpec, StepSpec } from '../../spec/workflow.ts';
import type { Role } from './draft.ts';
import type { Each } from './items.ts';
import { entryOf, isFailure } from './standing.ts';
import type { Attempt, ItemState, StepState } from './state.ts';
import type { Ending } from './step-reason.ts';

export type Line = ItemState;

/** Where a line stands. `index`: of a step that has one Job for each item. `each`: the items of its forEach. */
export interface Site {
  readonly step: StepSpec;
  readonly role: Role;
  readonly index: number | undefined;
  readonly each: Each | undefined;
}

/** An attempt as it stands now, and what it wrote. */
export interface Folded {
  readonly attempt: Attempt;
  readonly outputs?: Readonly<Record<string, Json>>;
}

/** As messages name it. */
export function siteText({ step, role, index }: Site): string {
  return `${role === 'undo' ? 'undo of ' : ''}step "${step.name}"${index === undefined ? '' : `, item ${index}`}`;
}

/** The attempts are sub-runs: records, not Jobs. */
export function isSubRun({ step, role }: Site): boolean {
  return role === 'do' && step.work.kind === 'subRun';
}

/** The attempt is a wait for somebody's word. */
export function isApproval({ step, role }: Site): boolean {
  return role === 'do' && step.work.kind === 'approve';
}

/** Undo jobs have a rule of their own. */
export function retryOf({ step, role }: Site): RetrySpec {
  return role === 'undo' && step.undo ? step.undo.retry : step.retry;
}

const nothing: JsonObject = {};

/** What the Job is made from, as it was written, and whether references in it are replaced. */
export function templateOf({ step, role, index }: Site): { readonly template: JsonObject; readonly verbatim: boolean } {
  if (role === 'undo') return { template: step.undo?.template ?? nothing, verbatim: step.undo?.verbatim === true };
  if (step.work.kind === 'job') return { template: step.work.template, verbatim: false };
  if (step.work.kind === 'manifests') return { template: step.work.manifests[step.work.several ? (index ?? 0) : 0]?.template ?? nothing, verbatim: true };
  return { template: nothing, verbatim: true };
}

/** The line of a step that is one Job, sub-run or approval at a time. */
export function lineOf({ outcome, reason, message, attempts, outputs }: StepState): Line {
  return {
    attempts: attempts ?? [],
    ...(outcome !== undefined && { outcome }),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(outputs !== undefined && { outputs }),
  };
}

/** The state of such a step once its line stands so. `at`: when it got its outcome. */
export function withLine(state: StepState, line: Line, at: number): StepState {
  return { ...state, ...line, ...(line.outcome !== undefined && { at }) };
}

/** The outcome of a step with one line for each item, once all of them have theirs; the same object before. */
export function withItems(step: StepSpec, state: StepState, items: readonly Line[], at: number): StepState {
  if (items.some(({ outcome }) => outcome === undefined)) return items.every((item, index) => item === state.items?.[index]) ? state : { ...state, items };
  // The outputs are kept once, in the lists.
  return { ...state, items: items.map(({ outputs: _, ...item }) => item), ...groupOutcome(items), at, ...groupOutputs(step, items) };
}

function groupOutcome(items: readonly Line[]): Pick<StepState, 'outcome' | 'reason' | 'message'> {
  const cancelled = items.find(({ outcome }) => outcome === 'cancelled');
  if (cancelled) return { outcome: 'cancelled', ...(cancelled.reason !== undefined && { reason: cancelled.reason }) };
  const bad = items.flatMap(({ outcome }, index) => (outcome !== undefined && isFailure(outcome) ? [index] : []));
  const first = bad[0] === undefined ? undefined : items[bad[0]];
  if (!first) return { outcome: 'succeeded' };
  const why = [first.reason, first.message ?? first.attempts.at(-1)?.message].filter((part) => part !== undefined && part !== '').join(': ');
  const failed: Ending = { outcome: 'failed', reason: 'ItemsFailed' };
  return { ...failed, message: `${bad.length} of ${items.length} items failed; item ${bad[0] ?? 0}: ${why}` };
}

/** Lists in the order of the items, so that outputs of several steps go together by their place. */
function groupOutputs(step: StepSpec, items: readonly Line[]): Pick<StepState, 'outputs'> {
  const names = Object.keys(step.outputs);
  if (names.length === 0) return {};
  return { outputs: Object.fromEntries(names.map((name) => [name, items.map(({ outputs }) => entryOf(outputs, name) ?? null)])) };
}
