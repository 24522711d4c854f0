/** All attempts of a run by the name of what they created, and what of the run is live. */
import type { StepSpec } from '../../spec/workflow.ts';
import type { RunDraft } from './draft.ts';
import type { Line } from './line.ts';
import type { Attempt, StepState } from './state.ts';

export interface KnownAttempt {
  readonly step: StepSpec;
  readonly attempt: Attempt;
  /** It has no outcome, and neither has its step or item. */
  readonly awaited: boolean;
}

/** Approvals create nothing, and are left out. */
export function knownAttempts(draft: RunDraft): Map<string, KnownAttempt> {
  const known = new Map<string, KnownAttempt>();
  const { steps, finally: after } = draft.observed.spec;
  for (const step of steps) {
    if (step.work.kind !== 'approve') addStep(known, step, draft.step(step.name));
    if (step.undo) addStep(known, step, draft.state('undo', step.name));
  }
  for (const step of after) if (step.work.kind !== 'approve') addStep(known, step, draft.step(step.name));
  return known;
}

function addStep(known: Map<string, KnownAttempt>, step: StepSpec, state: StepState | undefined): void {
  if (!state) return;
  const isOpen = state.outcome === undefined;
  addLine(known, step, state.attempts ?? [], isOpen);
  for (const item of state.items ?? []) addLine(known, step, item.attempts, isOpen && item.outcome === undefined);
}

function addLine(known: Map<string, KnownAttempt>, step: StepSpec, attempts: Line['attempts'], isOpen: boolean): void {
  for (const attempt of attempts) known.set(attempt.job, { step, attempt, awaited: isOpen && attempt.outcome === undefined });
}

/** What counts against maxParallel, and keeps a run from being over. */
export interface Live {
  readonly jobs: number;
  readonly subRuns: number;
  /** Those of both that no attempt speaks of. */
  readonly strays: number;
}

/** What may still be created is live as well: an attempt that nothing shows yet, and a name whose create got no clean answer. */
export function liveOf(draft: RunDraft, known: ReadonlyMap<string, KnownAttempt>): Live {
  const { jobs, children, orphans, reservations } = draft.observed;
  const shownJobs = [...jobs.keys()].filter((name) => draft.runs(name));
  const shownRuns = [...children.keys()].filter((name) => draft.runs(name));
  const hidden = new Set<string>();
  let hiddenRuns = 0;
  for (const [name, { step, awaited }] of known) {
    if (draft.isThere(name) || !(awaited || reservations.has(name))) continue;
    if (step.work.kind === 'subRun') hiddenRuns += 1;
    else hidden.add(name);
  }
  for (const pod of orphans) {
    if (pod.jobName !== undefined && draft.orphanOf(pod.jobName) && !jobs.has(pod.jobName)) hidden.add(pod.jobName);
  }
  return {
    jobs: shownJobs.length + hidden.size,
    subRuns: shownRuns.length + hiddenRuns,
    strays: [...shownJobs, ...shownRuns].filter((name) => !known.has(name)).length,
  };
}
