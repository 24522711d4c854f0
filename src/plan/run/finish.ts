/** The last part of a run: its revert, its `finally`, and what it came to. */
import type { Json } from '../../lib/json.ts';
import type { Live } from './attempts.ts';
import { decideFinally } from './decide.ts';
import type { RunDraft } from './draft.ts';
import { asObject, Resolver } from './lookup.ts';
import { planRevert, toUndo } from './revert.ts';
import { roomForOutputs } from './room.ts';
import { countsAsFailure, hasEnded, isCommanded, isFailure } from './standing.ts';
import type { RunEnd, RunOutcome } from './state.ts';

/** Once all steps have their outcome. */
export function planFinish(draft: RunDraft): void {
  const { steps } = draft.observed.spec;
  if (!hasEnded(draft, steps)) return;
  draft.conclude(outcomeOf(draft), failedSteps(draft));
  planRevert(draft);
  if (toUndo(draft).length > 0) return;
  decideFinally(draft);
}

/** Ends the run when nothing is left to decide and nothing of it lives. */
export function planEnd(draft: RunDraft, live: Live): void {
  const { steps, finally: after } = draft.observed.spec;
  if (draft.end || live.jobs + live.subRuns > 0 || !hasEnded(draft, steps) || !hasEnded(draft, after) || toUndo(draft).length > 0) return;
  draft.close(endOf(draft));
}

/** In the order of the text, `finally` last. */
export function failedSteps(draft: RunDraft): string[] {
  const { steps, finally: after } = draft.observed.spec;
  return [...steps, ...after].filter((step) => countsAsFailure(step, draft.step(step.name)?.outcome)).map(({ name }) => name);
}

function outcomeOf(draft: RunDraft): RunOutcome {
  if (isCommanded(draft.stopping)) return 'cancelled';
  // Cancelled steps without a command: their Jobs were ended for one by a process that died before it wrote that down.
  const isWhole = draft.observed.spec.steps.every(({ name }) => draft.step(name)?.outcome !== 'cancelled');
  return isWhole && failedSteps(draft).length === 0 ? 'succeeded' : 'failed';
}

function endOf(draft: RunDraft): RunEnd {
  const outcome = outcomeOf(draft);
  const failed = failedSteps(draft);
  const end = { at: draft.now, failedSteps: failed };
  if (outcome === 'cancelled') return { ...end, outcome, reason: draft.stopping?.reason ?? 'RunCancelled', message: `${draft.stopping?.message ?? ''}${undoText(draft)}` };
  if (outcome === 'failed') return { ...end, outcome, reason: 'StepFailed', message: `${failureText(draft, failed)}${undoText(draft)}` };
  const outputs = runOutputs(draft);
  if (outputs.kind === 'problem') return { ...end, outcome: 'failed', reason: outputs.reason, message: `outputs: ${outputs.message}` };
  return { ...end, outcome, reason: 'RunSucceeded', message: countText(draft), ...(Object.keys(outputs.values).length > 0 && { outputs: outputs.values }) };
}

function failureText(draft: RunDraft, [first, ...more]: readonly string[]): string {
  if (first === undefined) return draft.stopping?.message ?? 'steps were cancelled';
  const { reason, message } = draft.step(first) ?? {};
  const why = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
  const others = more.length === 0 ? '' : `; ${more.length} more failed`;
  return `step "${first}" failed${why === '' ? '' : ` (${why})`}${others}`;
}

/** A run that could not take back what it had done needs somebody's hand. */
function undoText(draft: RunDraft): string {
  const failed = draft.observed.spec.steps.filter(({ name }) => {
    const outcome = draft.state('undo', name)?.outcome;
    return outcome !== undefined && (isFailure(outcome) || outcome === 'cancelled');
  });
  return failed.length === 0 ? '' : `; not undone: ${failed.map(({ name }) => `"${name}"`).join(', ')}`;
}

/** Of a run that succeeded: its failures were allowed. */
function countText(draft: RunDraft): string {
  const outcomes = draft.observed.spec.steps.flatMap(({ name }) => draft.step(name)?.outcome ?? []);
  const succeeded = outcomes.filter((outcome) => outcome === 'succeeded').length;
  const failed = outcomes.filter(isFailure).length;
  const unneeded = outcomes.length - succeeded - failed;
  return [
    `${succeeded} of ${outcomes.length} steps succeeded`,
    ...(failed > 0 ? [`${failed} failed as ${failed === 1 ? 'it' : 'they'} may`] : []),
    ...(unneeded > 0 ? [`${unneeded} ${unneeded === 1 ? 'was' : 'were'} not needed`] : []),
  ].join(', ');
}

type RunOutputs = { readonly kind: 'values'; readonly values: Readonly<Record<string, Json>> } | { readonly kind: 'problem'; readonly reason: 'OutputMissing' | 'OutputsTooLarge'; readonly message: string };

/** Whoever waits for the run must not find some of them missing: what does not fit is a failure that says so. */
function runOutputs(draft: RunDraft): RunOutputs {
  const resolved = asObject(new Resolver(draft).resolve({ ...draft.observed.spec.outputs }, 'any'));
  if (resolved.kind === 'wait') return { kind: 'problem', reason: 'OutputMissing', message: `step "${resolved.step}" has not ended` };
  if (resolved.kind === 'problem') return { ...resolved, reason: 'OutputMissing' };
  const values = Object.fromEntries(Object.entries(resolved.value).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const size = Buffer.byteLength(JSON.stringify(values));
  if (size > roomForOutputs) return { kind: 'problem', reason: 'OutputsTooLarge', message: `they have ${size} bytes as JSON, more than the ${roomForOutputs} that a run may give back` };
  return { kind: 'values', values };
}
