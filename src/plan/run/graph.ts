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
  const parts = { byName, byId, phases };
  return { ...parts, order: inOrder(spec.steps, parts), finally: inOrder(spec.finally, parts) };
}

/** Steps that must have ended before anything can be said of this one, but for those of the phase before. May name a step twice. */
export function namedBy(step: StepSpec, byId: ReadonlyMap<string, StepSpec>): string[] {
  const ids = [...(step.dependsOn.expression?.steps ?? []), ...(step.when?.steps ?? [])];
  return [...step.dependsOn.all, ...ids.map((id) => byId.get(id)?.name ?? id)];
}

type Parts = Pick<RunGraph, 'byName' | 'byId' | 'phases'>;
interface Visit {
  readonly step: StepSpec | undefined;
  readonly before: readonly StepSpec[];
  next: number;
}

/** Depth first, without recursion: a chain may be longer than the stack is deep. A phase is a node of its own, so that two large phases are not joined by all their pairs. */
function inOrder(steps: readonly StepSpec[], parts: Parts): StepSpec[] {
  const order: StepSpec[] = [];
  const members = new Set(steps);
  const seen = new Set<StepSpec | string>();
  const path: Visit[] = [];
  const enter = (step: StepSpec): void => {
    if (seen.has(step) || !members.has(step)) return;
    seen.add(step);
    path.push({ step, before: stepsBefore(step, parts), next: 0 });
    const { phase } = step.dependsOn;
    if (phase === undefined || seen.has(phase)) return;
    seen.add(phase);
    path.push({ step: undefined, before: parts.phases.get(phase) ?? [], next: 0 });
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
  const step = path.pop()?.step;
  if (step) order.push(step);
}

function stepsBefore(step: StepSpec, { byName, byId }: Parts): StepSpec[] {
  return namedBy(step, byId).flatMap((name) => byName.get(name) ?? []);
}
