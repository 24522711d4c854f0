/** What somebody does to go on with a run that failed: its Jobs are its memory, so those that are to run again have to go. */
import { countsAsFailure, entryOf } from '../../plan/run/standing.ts';
import type { RunState, StepState } from '../../plan/run/state.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

/** undefined: it did not fail. */
export function againHint({ steps, finally: after }: WorkflowSpec, state: RunState, namespace: string): string | undefined {
  if (state.end?.outcome !== 'failed') return undefined;
  const anew = '--new-run starts from the beginning';
  // What has been undone is no ground to build on.
  const isReverted = Object.keys(state.undo).length > 0;
  const failed = steps.flatMap((step) => {
    const found = entryOf(state.steps, step.name);
    return found && (found.outcome === 'cancelled' || countsAsFailure(step, found.outcome)) ? jobsOf(found) : [];
  });
  const last = after.flatMap(({ name }) => jobsOf(entryOf(state.steps, name)));
  const jobs = [...failed, ...last];
  if (isReverted || jobs.length === 0) return anew;
  return `to try again what failed${last.length > 0 ? ', and finally after it' : ''}: kubectl delete job ${jobs.join(' ')} -n ${namespace}, then start the same command again; ${anew}`;
}

/** Of items those that did not succeed. */
function jobsOf({ attempts = [], items = [] }: StepState = {}): string[] {
  const all = [...attempts, ...items.filter(({ outcome }) => outcome !== 'succeeded').flatMap((item) => item.attempts)];
  return all.map(({ job }) => job);
}
