/** A state without what only people read, for when all of it does not fit: a run that could not write its state would never end. */
import type { Attempt, ItemState, RunState, StepState } from '../../plan/run/state.ts';

/** Messages of steps, items and attempts cut to so many characters; nothing that decisions need. */
export function leanState(state: RunState, longest: number): RunState {
  return { ...state, steps: leanSteps(state.steps, longest), undo: leanSteps(state.undo, longest) };
}

function leanSteps(steps: RunState['steps'], longest: number): RunState['steps'] {
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, leanStep(step, longest)]));
}

function leanStep(step: StepState, longest: number): StepState {
  const { attempts, items } = step;
  return {
    ...leanPart(step, longest),
    ...(attempts && { attempts: leanAttempts(attempts, longest) }),
    ...(items && { items: items.map((item): ItemState => ({ ...leanPart(item, longest), attempts: leanAttempts(item.attempts, longest) })) }),
  };
}

function leanAttempts(attempts: readonly Attempt[], longest: number): Attempt[] {
  return attempts.map(({ verdict, ...attempt }) => ({ ...leanPart(attempt, longest), ...(verdict !== undefined && { verdict: cut(verdict, longest) }) }));
}

function leanPart<Part extends { readonly message?: string }>(part: Part, longest: number): Part {
  const { message, ...rest } = part;
  return (message === undefined || longest === 0 ? rest : { ...rest, message: cut(message, longest) }) as Part;
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
