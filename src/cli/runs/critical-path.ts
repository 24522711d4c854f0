/**
 * What determined how long a run took: from the step that ended last, back through that of its dependencies which ended
 * last, to the beginning. Of a run that goes on, from the step that has been under way for the longest time.
 */
import { namedBy, runGraph, type RunGraph } from '../../plan/run/graph.ts';
import { entryOf } from '../../plan/run/standing.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { spanOf, type Span } from '../../plan/run/step-span.ts';

/** All in milliseconds. */
export interface PathStep {
  readonly name: string;
  readonly role: 'step' | 'undo';
  /** From the end of the one before (or the start of the run) until it was decided to start. */
  readonly gap: number;
  /** From there until its first container ran. */
  readonly wait: number;
  /** From there to its end, retries included; undefined: nothing of it ran. */
  readonly ran: number | undefined;
}

export interface CriticalPath {
  readonly steps: readonly PathStep[];
  /** From the start of the run to the end of the last of them. */
  readonly sum: number;
}

interface Stop extends Span {
  readonly step: StepSpec;
  readonly role: PathStep['role'];
  readonly end: number;
}

/** undefined while nothing has started. */
export function criticalPath(spec: WorkflowSpec, state: RunState, now: number): CriticalPath | undefined {
  const map = new Stops(spec, state, now);
  const last = map.last();
  if (!last) return undefined;
  const chain: Stop[] = [];
  for (let stop: Stop | undefined = last; stop && !chain.includes(stop); stop = map.before(stop)) chain.unshift(stop);
  let end = state.startedAt;
  const steps = chain.flatMap((stop): PathStep[] => {
    const gap = Math.max(0, stop.start - end);
    end = Math.max(end, stop.end);
    // Skipped and omitted ones lead on, and took no time.
    if (stop.end === stop.start && stop.ranAt === undefined) return [];
    const ranAt = stop.ranAt === undefined ? stop.end : Math.min(Math.max(stop.ranAt, stop.start), stop.end);
    return [{ name: stop.step.name, role: stop.role, gap, wait: ranAt - stop.start, ran: stop.ranAt === undefined ? undefined : stop.end - ranAt }];
  });
  return steps.length === 0 ? undefined : { steps, sum: Math.max(0, last.end - state.startedAt) };
}

/** Everything of a run that took place, with its times. */
class Stops {
  readonly #graph: RunGraph;
  readonly #now: number;
  readonly #steps: ReadonlyMap<string, Stop>;
  readonly #finally: ReadonlyMap<string, Stop>;
  readonly #undo: readonly Stop[];

  constructor(spec: WorkflowSpec, state: RunState, now: number) {
    this.#graph = runGraph(spec);
    this.#now = now;
    this.#steps = this.#stops(spec.steps, state.steps, 'step');
    this.#finally = this.#stops(spec.finally, state.steps, 'step');
    this.#undo = [...this.#stops(spec.steps, state.undo, 'undo').values()];
  }

  #stops(steps: readonly StepSpec[], states: RunState['steps'], role: Stop['role']): ReadonlyMap<string, Stop> {
    return new Map(steps.flatMap((step): [string, Stop][] => {
      const span = spanOf(entryOf(states, step.name));
      return span ? [[step.name, { ...span, step, role, end: span.end ?? Math.max(this.#now, span.start) }]] : [];
    }));
  }

  /** Where the walk begins. */
  last(): Stop | undefined {
    const all = [...this.#steps.values(), ...this.#undo, ...this.#finally.values()];
    const open = all.filter(({ isOpen }) => isOpen);
    return open.length > 0 ? open.reduce((first, stop) => (stop.start < first.start ? stop : first)) : latest(all);
  }

  /** What it came after: the last that had ended when it started. */
  before(stop: Stop): Stop | undefined {
    return latest(this.#candidates(stop).filter((other) => other !== stop && !other.isOpen && other.end <= stop.start));
  }

  #candidates({ step, role }: Stop): readonly Stop[] {
    if (role === 'undo') return [...this.#undo, ...this.#steps.values()];
    if (!this.#finally.has(step.name)) return this.#named(step, this.#steps);
    const others = this.#named(step, this.#finally);
    return others.length > 0 ? others : [...this.#steps.values(), ...this.#undo];
  }

  #named(step: StepSpec, among: ReadonlyMap<string, Stop>): readonly Stop[] {
    const { phase } = step.dependsOn;
    const names = [...namedBy(step, this.#graph.byId), ...(phase === undefined ? [] : (this.#graph.phases.get(phase) ?? []).map(({ name }) => name))];
    return [...new Set(names)].flatMap((name) => among.get(name) ?? []);
  }
}

/** Of several at the same time the first. */
function latest(stops: readonly Stop[]): Stop | undefined {
  return stops.reduce<Stop | undefined>((last, stop) => (last === undefined || stop.end > last.end ? stop : last), undefined);
}
