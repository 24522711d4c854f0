/**
 * Two accounts of one run as one: what the record holds, and what this process has decided on. They differ when two
 * processes act at once, or when the answer to a write was lost. What has an outcome never changes it.
 */
import { entryOf } from './standing.ts';
import type { Attempt, ItemState, RunState, StepState, Stopping } from './state.ts';

/**
 * Nothing that either account knows to be over is lost; where both do and differ, `stored` is right, since others may have
 * acted on it. A stored end is the end: what happened in the run that went on beside it does not count. An end that only we
 * have decided on speaks of what we knew: where the record knows otherwise it is decided anew.
 */
export function mergeStates(stored: RunState, ours: RunState): RunState {
  if (stored.end) return stored;
  const stopping = stronger(stored.stopping, ours.stopping);
  const steps = mergeSteps(stored.steps, ours.steps);
  const undo = mergeSteps(stored.undo, ours.undo);
  const isKnown = cameOutAs(steps, ours.steps) && cameOutAs(undo, ours.undo) && stopping?.mode === ours.stopping?.mode && stopping?.reason === ours.stopping?.reason;
  return { startedAt: Math.min(stored.startedAt, ours.startedAt), steps, undo, ...(stopping && { stopping }), ...(ours.end && isKnown && { end: ours.end }) };
}

function cameOutAs(merged: Steps, ours: Steps): boolean {
  return Object.entries(merged).every(([name, { outcome }]) => Object.hasOwn(ours, name) && ours[name]?.outcome === outcome);
}

type Steps = Readonly<Record<string, StepState>>;

function mergeSteps(stored: Steps, ours: Steps): Steps {
  const merged: Record<string, StepState> = { ...ours };
  for (const [name, step] of Object.entries(stored)) {
    // Users may call a step `constructor`.
    const other = entryOf(ours, name);
    merged[name] = other === undefined ? step : mergeStep(step, other);
  }
  return merged;
}

function mergeStep(stored: StepState, ours: StepState): StepState {
  const attempts = mergeLists(stored.attempts, ours.attempts, mergeAttempt);
  const items = mergeLists(stored.items, ours.items, mergeItem);
  return { ...preferred(stored, ours), ...(attempts && { attempts }), ...(items && { items }) };
}

function mergeItem(stored: ItemState, ours: ItemState): ItemState {
  return { ...preferred(stored, ours), attempts: mergeLists(stored.attempts, ours.attempts, mergeAttempt) ?? [] };
}

/** Attempts are named by their number, so that both accounts speak of the same Job; a Job that was seen was seen. */
function mergeAttempt(stored: Attempt, ours: Attempt): Attempt {
  const merged = preferred(stored, ours);
  return stored.seen === true || ours.seen === true ? { ...merged, seen: true } : merged;
}

/** Each place from whoever has it, since both lists only grow. */
function mergeLists<Entry>(stored: readonly Entry[] | undefined, ours: readonly Entry[] | undefined, merge: (stored: Entry, ours: Entry) => Entry): readonly Entry[] | undefined {
  if (stored === undefined || ours === undefined) return stored ?? ours;
  const longer = stored.length >= ours.length ? stored : ours;
  return longer.map((entry, index) => {
    const mine = ours[index];
    const theirs = stored[index];
    return mine === undefined || theirs === undefined ? entry : merge(theirs, mine);
  });
}

/** The account that has an outcome, with what only the other knows; of two that have one, or none, the stored one. */
function preferred<Part extends { readonly outcome?: unknown }>(stored: Part, ours: Part): Part {
  if (stored.outcome !== undefined) return stored;
  return ours.outcome === undefined ? { ...ours, ...stored } : { ...stored, ...ours };
}

const strength = { stop: 0, revert: 1, cancel: 2 } as const;

/** Who cancels a run that is stopping already means it; of equals the stored one came first. */
function stronger(stored: Stopping | undefined, ours: Stopping | undefined): Stopping | undefined {
  if (!stored || !ours) return stored ?? ours;
  return strength[ours.mode] > strength[stored.mode] ? ours : stored;
}
