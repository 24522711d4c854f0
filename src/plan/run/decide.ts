/** Whether a step that has not started may: its dependencies, its condition, and whether the run still starts anything. */
import type { Expression } from '../../spec/expression.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import { advanceStep } from './advance.ts';
import { beginStep } from './begin.ts';
import type { RunDraft } from './draft.ts';
import { expressionFacts } from './facts.ts';
import { isCommanded, isOk, outcomeText, stopReason } from './standing.ts';
import type { StepOutcome, StepState } from './state.ts';
import type { Ending } from './step-reason.ts';

type Verdict = { readonly kind: 'true' | 'open' } | Ruling;
/** The step ends without having started. */
type Ruling = Ending & { readonly kind: 'over'; readonly message?: string };

/** Once over all steps: what ends here is known to those behind it in the same pass. */
export function decideSteps(draft: RunDraft): void {
  for (const step of draft.graph.order) {
    draft.rerun?.before(step);
    decideStep(draft, step, draft.stopping !== undefined);
    draft.rerun?.after(step, draft.step(step.name));
  }
}

/** A run that stops, or was cancelled, still cleans up behind itself. */
export function decideFinally(draft: RunDraft): void {
  for (const step of draft.graph.finally) decideStep(draft, step, false);
}

function decideStep(draft: RunDraft, step: StepSpec, stops: boolean): void {
  const state = draft.step(step.name);
  if (state?.outcome !== undefined) return;
  if (state) {
    advanceStep(draft, step, 'do');
    return;
  }
  const verdict = verdictOn(draft, step, stops);
  if (verdict.kind === 'over') draft.set('do', step, ended(verdict, draft.now));
  else if (verdict.kind === 'true') beginStep(draft, step);
}

function ended({ outcome, reason, message }: Ruling, at: number): StepState {
  return { outcome, reason, ...(message !== undefined && { message }), at };
}

function verdictOn(draft: RunDraft, step: StepSpec, stops: boolean): Verdict {
  if (stops && isCommanded(draft.stopping)) return stopped(draft);
  const dependency = dependencyOf(draft, step);
  if (dependency.kind === 'over') return dependency;
  // Whoever writes `build.failed` has thought of the failure that stops the run.
  if (stops && step.dependsOn.expression === undefined) return stopped(draft);
  if (dependency.kind === 'open' || step.when === undefined) return dependency;
  return evaluate(draft, step.when, { outcome: 'skipped', reason: 'ConditionFalse', message: `when: ${step.when.text}` });
}

function stopped({ stopping }: RunDraft): Verdict {
  return { kind: 'over', outcome: 'omitted', reason: stopReason(stopping) };
}

/** One part that is false decides, whatever the others are. */
function dependencyOf(draft: RunDraft, step: StepSpec): Verdict {
  const { all, phase, expression } = step.dependsOn;
  const listed = listVerdict(draft, all);
  if (listed.kind === 'over') return listed;
  const before = phase === undefined ? listed : phaseVerdict(draft, phase);
  if (before.kind === 'over') return before;
  const third = expression ? evaluate(draft, expression, { outcome: 'omitted', reason: 'DependencyNotMet', message: `dependsOn: ${expression.text}` }) : before;
  return third.kind === 'over' || (listed.kind === 'true' && before.kind === 'true') ? third : { kind: 'open' };
}

function listVerdict(draft: RunDraft, names: readonly string[]): Verdict {
  let open = false;
  for (const name of names) {
    const outcome = draft.step(name)?.outcome;
    if (outcome === undefined) open = true;
    else if (!isOk(draft.graph.byName.get(name), outcome)) return unmet(name, outcome);
  }
  return { kind: open ? 'open' : 'true' };
}

function phaseVerdict(draft: RunDraft, name: string): Verdict {
  const { open, bad } = draft.phase(name);
  const outcome = bad && draft.step(bad.name)?.outcome;
  if (outcome !== undefined) return unmet(bad?.name ?? '', outcome);
  return { kind: open > 0 ? 'open' : 'true' };
}

function unmet(name: string, outcome: StepOutcome): Verdict {
  return { kind: 'over', outcome: 'omitted', reason: 'DependencyNotMet', message: `step "${name}" ${outcomeText[outcome]}` };
}

/** An answer that is still open although all that it names has ended will never come: an output was not written. */
function evaluate(draft: RunDraft, expression: Expression, otherwise: Ending & { readonly message: string }): Verdict {
  const verdict = expression.evaluate(expressionFacts(draft));
  if (verdict.kind === 'true') return { kind: 'true' };
  if (verdict.kind === 'false') return { kind: 'over', ...otherwise };
  if (verdict.kind === 'error') return broken(expression, verdict.message);
  const ended = expression.steps.every((id) => {
    const step = draft.graph.byId.get(id);
    return !step || draft.step(step.name)?.outcome !== undefined;
  });
  return ended ? broken(expression, 'it names an output that was not written') : { kind: 'open' };
}

function broken(expression: Expression, message: string): Verdict {
  return { kind: 'over', outcome: 'errored', reason: 'ExpressionError', message: `${expression.text}: ${message}` };
}
