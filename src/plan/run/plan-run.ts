/** One round of one run: what has come of what was started, what may start now, and what the run waits for. */
import type { PlanEnvironment } from '../environment.ts';
import type { RunPlan } from './action.ts';
import { knownAttempts, liveOf, type Live } from './attempts.ts';
import { decideSteps } from './decide.ts';
import { RunDraft } from './draft.ts';
import { planEnd, planFinish } from './finish.ts';
import { foldRun } from './fold.ts';
import type { ObservedRun } from './observed.ts';
import { applyCommands, applyFailures, cancelUnderWay } from './stopping.ts';
import { planUpkeep } from './upkeep.ts';
import { standOf } from './wait-reasons.ts';

/**
 * Pure: the same observation at the same time gives the same plan. The state that it returns holds all that is known now;
 * actions that are not carried out come again in the next round. `now`: milliseconds since 1970.
 */
export function planRun(observed: ObservedRun, environment: PlanEnvironment, now: number): RunPlan {
  const { draft, live } = decidedRun(observed, environment, now);
  const { actions, demands, wants, wakeAt } = draft.finish(now);
  return { state: draft.result(), actions, demands, ...standOf(draft, live), liveJobs: live.jobs, wants, wakeAt };
}

/** The same round with all that it found out on its way, for whoever explains it. */
export function decidedRun(observed: ObservedRun, environment: PlanEnvironment, now: number): { readonly draft: RunDraft; readonly live: Live } {
  const draft = new RunDraft(observed, environment, now);
  foldRun(draft);
  if (!draft.end) decide(draft);
  const known = knownAttempts(draft);
  planUpkeep(draft, known);
  const live = liveOf(draft, known);
  planEnd(draft, live);
  return { draft, live };
}

/** What was seen counts before what is wanted: a step that has succeeded is not cancelled any more. */
function decide(draft: RunDraft): void {
  meetStrangers(draft);
  applyCommands(draft);
  applyFailures(draft);
  cancelUnderWay(draft);
  const live = liveOf(draft, knownAttempts(draft));
  draft.slots = live.jobs + live.subRuns;
  draft.strays = live.strays;
  draft.untilSettled(() => {
    decideSteps(draft);
    applyFailures(draft);
  });
  draft.untilSettled(() => {
    planFinish(draft);
  });
}

/**
 * What an earlier process created and did not live to write down. It counts before anything new starts, and before any
 * command: what has failed may have stopped the run, and what has succeeded has.
 */
function meetStrangers(draft: RunDraft): void {
  const { jobs, children } = draft.observed;
  if (jobs.size + children.size === 0) return;
  const known = knownAttempts(draft);
  if ([...jobs.keys(), ...children.keys()].every((name) => known.has(name))) return;
  draft.meeting(() => {
    draft.untilSettled(() => {
      decideSteps(draft);
      applyFailures(draft);
    });
  });
}
