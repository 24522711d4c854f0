/** Successes that a run takes over from the one that it repeats. */
import { canonicalJson } from '../../lib/digest.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import { namedBy, type RunGraph } from './graph.ts';
import type { ObservedRun } from './observed.ts';
import { entryOf } from './standing.ts';
import type { RunState, StepState } from './state.ts';

/** Follows the decisions of a round, step by step in the order of the graph. */
export class Rerun {
  readonly #run: string;
  readonly #from: string | undefined;
  readonly #earlier: RunState;
  readonly #graph: RunGraph;
  /** Steps that may not be carried over. */
  readonly #fresh = new Set<string>();
  /** Steps and phases behind which nothing may be carried over. */
  readonly #different = new Set<string>();
  readonly #differentPhases = new Set<string>();

  /** undefined: the run repeats none, or nothing is known of that one. */
  static of({ record, earlier }: ObservedRun, graph: RunGraph): Rerun | undefined {
    const rerunOf = record.request?.rerunOf;
    return rerunOf && earlier ? new Rerun(rerunOf, earlier, graph) : undefined;
  }

  private constructor(rerunOf: { readonly run: string; readonly from?: string }, earlier: RunState, graph: RunGraph) {
    this.#run = rerunOf.run;
    this.#from = rerunOf.from;
    this.#earlier = earlier;
    this.#graph = graph;
  }

  /** To be called before the step is decided on: the one that the request names runs again, and all behind it or behind one that came out differently. */
  before(step: StepSpec): void {
    const { phase } = step.dependsOn;
    const behind = namedBy(step, this.#graph.byId).some((name) => this.#different.has(name)) || (phase !== undefined && this.#differentPhases.has(phase));
    if (step.name === this.#from || behind) this.#fresh.add(step.name);
  }

  /** To be called once the step has been decided on, as far as that is possible now. */
  after(step: StepSpec, state: StepState | undefined): void {
    if (!this.#fresh.has(step.name) && !this.#cameOutDifferently(step, state)) return;
    this.#different.add(step.name);
    if (step.phase !== undefined) this.#differentPhases.add(step.phase);
  }

  #cameOutDifferently(step: StepSpec, state: StepState | undefined): boolean {
    if (state?.outcome === undefined || state.from !== undefined) return false;
    const before = entryOf(this.#earlier.steps, step.name);
    return before?.outcome !== state.outcome || canonicalJson(before.outputs ?? {}) !== canonicalJson(state.outputs ?? {});
  }

  /** The step as the earlier run left it, if it succeeded there with the same inputs and was not undone. */
  carried(step: StepSpec, inputs: string): StepState | undefined {
    const before = entryOf(this.#earlier.steps, step.name);
    if (before?.outcome !== 'succeeded' || before.inputs !== inputs || this.#fresh.has(step.name)) return undefined;
    // Steps of `finally` belong to their own run; what was undone is not there any more.
    if (entryOf(this.#earlier.undo, step.name) || this.#graph.finally.includes(step)) return undefined;
    // The time is that of the earlier run: steps are undone in the reverse order of their success.
    return { outcome: 'succeeded', at: before.at ?? this.#earlier.startedAt, from: this.#run, inputs, ...(before.each && { each: before.each }), ...(before.outputs && { outputs: before.outputs }) };
  }
}
