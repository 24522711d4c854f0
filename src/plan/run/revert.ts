/** Undo jobs: one after the other, what succeeded last first. */
import type { StepSpec } from '../../spec/workflow.ts';
import { advanceStep, beginLine } from './advance.ts';
import type { RunDraft } from './draft.ts';

/** Steps that are still to be undone, in that order. Empty where the run does not revert. */
export function toUndo(draft: RunDraft): StepSpec[] {
  if (draft.stopping?.mode !== 'revert') return [];
  const due = draft.graph.order.flatMap((step, place) => {
    const state = draft.step(step.name);
    return step.undo && state?.outcome === 'succeeded' && draft.state('undo', step.name)?.outcome === undefined ? [{ step, place, at: state.at ?? 0 }] : [];
  });
  // Of what succeeded in one round the later in the graph is undone first: it may build on the other.
  return due.sort((left, right) => right.at - left.at || right.place - left.place).map(({ step }) => step);
}

/** Goes on with the revert. One that fails is written down, and does not keep the rest from being undone. */
export function planRevert(draft: RunDraft): void {
  for (const step of toUndo(draft)) {
    if (draft.state('undo', step.name)) advanceStep(draft, step, 'undo');
    else beginLine(draft, { step, role: 'undo', index: undefined, each: undefined });
    if (draft.state('undo', step.name)?.outcome === undefined) return;
  }
}
