/** The shape of a workflow: which step comes after which. Derived from the spec alone, in time that grows with steps and edges. */
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';

export interface RunGraph {
  /** `steps`, each behind all that it depends on; in the order of the text where that is so already. */
  readonly order: readonly StepSpec[];
  /** `finally`, likewise. */
  readonly finally: readonly StepSpec[];
  /** Of both. */
  readonly byName: ReadonlyMap<string, StepSpec>;
  readonly byId: ReadonlyMap<string, StepSpec>;
  readonly phases: ReadonlyMap<string, readonly StepSpec[]>;
}

/** Built anew for each round: that costs about a microsecond for each step. */
export function runGraph(spec: WorkflowSpec): RunGraph {
  const all = [...spec.steps, ...spec.finally];
  const byName = new Map(all.map((step) => [step.name, step]));
  const byId = new Map(all.map((step) => [step.id, step]));
  const phases = new Map<string, StepSpec[]>();
  for (const step of spec.steps) {
    if (step.phase === undefined) continue;
    const members = phases.get(step.phase);
    if (members) members.push(step);
    else phases.set(step.phase, [step]);
  }
  const names = { byName, byId };
  return { ...names, phases, order: inOrder(spec.steps, names), finally: inOrder(spec.finally, names) };
}

/** Steps that must have ended before anything can be said of this one, but for those of the phase before. May name a step twice. */
export function namedBy(step: StepSpec, byId: ReadonlyMap<string, StepSpec>): string[] {
  const ids = [...(step.dependsOn.expression?.steps ?? []), ...(step.when?.steps ?? [])];
  return [...step.dependsOn.all, ...ids.map((id) => byId.get(id)?.name ?? id)];
}

/** Steps by name and by id. */
type Names = Pick<RunGraph, 'byName' | 'byId'>;
interface Visit {
  readonly step: StepSpec;
  readonly before: readonly StepSpec[];
  next: number;
}

/**
 * Depth first, without recursion: a chain may be longer than the stack is deep. Phases need no edges here, since each
 * stands behind the one before it in the text.
 */
function inOrder(steps: readonly StepSpec[], names: Names): StepSpec[] {
  const order: StepSpec[] = [];
  const members = new Set(steps);
  const path: Visit[] = [];
  const enter = (step: StepSpec): void => {
    // Once only, and not those that are over when the first of these starts.
    if (members.delete(step)) path.push({ step, before: stepsBefore(step, names), next: 0 });
  };
  for (const step of steps) {
    enter(step);
    for (let visit = path.at(-1); visit; visit = path.at(-1)) {
      const before = visit.before[visit.next];
      visit.next += 1;
      if (before) enter(before);
      else leave(path, order);
    }
  }
  return order;
}

function leave(path: Visit[], order: StepSpec[]): void {
  const visit = path.pop();
  if (visit) order.push(visit.step);
}

function stepsBefore(step: StepSpec, { byName, byId }: Names): StepSpec[] {
  return namedBy(step, byId).flatMap((name) => byName.get(name) ?? []);
}
