/** What is different between two states of a run, as people would tell it. */
import { approvalsAnnotation } from '../../spec/keys.ts';
import type { Reason } from '../reason.ts';
import { entryOf } from './standing.ts';
import type { Attempt, RunState, StepOutcome, StepState } from './state.ts';

/** One change of one step. `outcome` is absent where it goes on with another attempt, or waits for somebody. */
export interface StepNews {
  readonly step: string;
  /** The step's undo job is meant. */
  readonly undo: boolean;
  readonly code: Reason;
  readonly outcome: StepOutcome | undefined;
  readonly message: string;
  /** Worth an event: a failure, another attempt, or that somebody is waited for. */
  readonly told: boolean;
}

/** Changes of steps and undo jobs, in the order of the state. Cheap where little changed: parts that are the same object are not looked into. */
export function stepNews(before: RunState, after: RunState): readonly StepNews[] {
  return [...changesOf(before.steps, after.steps, false), ...changesOf(before.undo, after.undo, true)];
}

function changesOf(before: RunState['steps'], after: RunState['steps'], undo: boolean): StepNews[] {
  if (before === after) return [];
  return Object.entries(after).flatMap(([step, state]) => {
    const earlier = entryOf(before, step);
    if (earlier === state || earlier?.outcome !== undefined) return [];
    return [...asks(step, earlier, state), ...retries(earlier, state), ...ended(state)].map((one) => ({ step, undo, ...one, message: `${undo ? 'undo of ' : ''}step "${step}" ${one.message}` }));
  });
}

type Said = Pick<StepNews, 'code' | 'outcome' | 'message' | 'told'>;

function ended({ outcome, reason, message }: StepState): Said[] {
  if (outcome === undefined) return [];
  const why = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
  const code = codes[outcome];
  return [{ code, outcome, message: `${words[outcome]}${why === '' ? '' : ` (${why})`}`, told: code === 'StepFailed' }];
}

const codes = { succeeded: 'StepSucceeded', failed: 'StepFailed', errored: 'StepFailed', notStarted: 'StepFailed', refused: 'StepFailed', skipped: 'StepSkipped', omitted: 'StepSkipped', cancelled: 'RunStopping' } as const satisfies Record<StepOutcome, Reason>;
const words: Readonly<Record<StepOutcome, string>> = { succeeded: 'succeeded', failed: 'failed', errored: 'was lost', notStarted: 'did not start', refused: 'was refused', skipped: 'is skipped', omitted: 'is omitted', cancelled: 'was cancelled' };

/** An approval has its step's name where others have that of a Job. */
function asks(step: string, before: StepState | undefined, { outcome, attempts }: StepState): Said[] {
  if (outcome !== undefined || before?.attempts !== undefined || attempts?.[0]?.job !== step) return [];
  return [{ code: 'WaitsForApproval', outcome: undefined, message: `waits for an approval: annotation ${approvalsAnnotation}=${step} (or ${step}=rejected) on the record`, told: true }];
}

/** Attempts after the first that were not there before, of the step or of its items. */
function retries(before: StepState | undefined, after: StepState): Said[] {
  const own = retried(before?.attempts, after.attempts, '');
  if (after.items === undefined || after.items === before?.items) return own;
  return [...own, ...after.items.flatMap((item, index) => retried(before?.items?.[index]?.attempts, item.attempts, `item ${index} `))];
}

function retried(before: readonly Attempt[] | undefined, after: readonly Attempt[] | undefined, what: string): Said[] {
  const known = before?.length ?? 0;
  if (after === undefined || after.length <= Math.max(known, 1)) return [];
  const last = after.at(-2);
  const why = [last?.reason, last?.message].filter((part) => part !== undefined && part !== '').join(': ');
  return [{ code: 'StepRetry', outcome: undefined, message: `${what}goes into attempt ${after.length}${why === '' ? '' : ` after ${why}`}`, told: true }];
}
