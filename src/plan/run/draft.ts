/** A round of a run while it is being decided: the state as far as it has come, and what is to be done. */
import type { JsonObject } from '../../lib/json.ts';
import { lazy } from '../../lib/lazy.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import type { ExplanationDemand } from '../action.ts';
import type { PlanEnvironment } from '../environment.ts';
import { DraftOf } from '../draft.ts';
import { isAlive } from '../job-state.ts';
import type { ObservedJob, ObservedPod } from '../observed.ts';
import type { RunAction } from './action.ts';
import { Rerun } from './carry-over.ts';
import { takesSlot } from './fate.ts';
import { runGraph, type RunGraph } from './graph.ts';
import type { ObservedRun } from './observed.ts';
import { parametersOf, runFactsOf } from './run-facts.ts';
import { Room } from './room.ts';
import { isOk } from './standing.ts';
import type { Attempt, RunEnd, RunOutcome, RunState, StepState, Stopping } from './state.ts';

/** A step's own work, or the job that undoes it. */
export type Role = 'do' | 'undo';

/** Why something that could start does not, for the run's message. */
export interface Hold {
  readonly kind: 'quota' | 'forbidden' | 'room' | 'place' | 'retry' | 'pods' | 'unclear';
  readonly step: string;
  readonly until?: number;
  readonly message: string;
}

/** How the steps of one phase stand, taken together. */
export interface PhaseTally {
  open: number;
  /** The first that ended and is not ok. */
  bad: StepSpec | undefined;
}

/** More starts than this wait for the next round, so that no round holds up the others. */
const mostStarts = 500;

export class RunDraft extends DraftOf<RunAction, ExplanationDemand> {
  readonly observed: ObservedRun;
  readonly environment: PlanEnvironment;
  readonly now: number;
  readonly graph: RunGraph;
  readonly rerun: Rerun | undefined;
  readonly room: Room;
  /** By kind and step, so that looking at a step twice says a thing once. */
  readonly holds = new Map<string, Hold>();
  /** Jobs and sub-runs that count against maxParallel now. */
  slots = 0;
  /** Those among them that no attempt speaks of: a process may have died after it created them. */
  strays = 0;
  /** How many steps and undo jobs got their outcome in this round. */
  #decisions = 0;
  #outputsAwaited = 0;
  readonly #params: () => JsonObject;
  #run: JsonObject | undefined;
  #stopping: Stopping | undefined;
  #end: RunEnd | undefined;
  #changed = false;
  #starts = 0;
  /** Jobs that the limits of the instance still let this round start. */
  #places: number;
  #meets = false;
  readonly #steps: Map<string, StepState>;
  readonly #undo: Map<string, StepState>;
  readonly #phases = new Map<string, PhaseTally>();
  readonly #started = new Set<string>();
  #orphans: ReadonlyMap<string, ObservedPod> | undefined;

  constructor(observed: ObservedRun, environment: PlanEnvironment, now: number) {
    super();
    this.observed = observed;
    this.environment = environment;
    this.now = now;
    this.graph = runGraph(observed.spec);
    this.rerun = Rerun.of(observed, this.graph);
    this.room = new Room(observed.state);
    this.#places = observed.room?.jobs ?? Infinity;
    this.#steps = new Map(Object.entries(observed.state.steps));
    this.#undo = new Map(Object.entries(observed.state.undo));
    this.#params = lazy(() => parametersOf(observed.spec, observed.parameters));
    this.#stopping = observed.state.stopping;
    this.#end = observed.state.end;
  }

  /** Only what is there already may begin. */
  get meets(): boolean {
    return this.#meets;
  }

  /** In `pass` nothing is created: steps begin with what the cluster holds of them, and end when that ended. */
  meeting(pass: () => void): void {
    this.#meets = true;
    pass();
    this.#meets = false;
  }

  /** Nothing may start: somebody suspended the run, or is deleting its record. */
  get held(): boolean {
    return this.observed.record.commands.suspend || this.observed.record.deleting;
  }

  /** Values of the run's parameters. */
  get params(): JsonObject {
    return this.#params();
  }

  /** `run.*` as expressions and references see it. */
  get run(): JsonObject {
    this.#run ??= runFactsOf(this.observed);
    return this.#run;
  }

  /** What undo jobs and steps of `finally` see besides. */
  conclude(outcome: RunOutcome, failedSteps: readonly string[]): void {
    this.#run = { ...this.run, outcome, failedSteps: [...failedSteps] };
  }

  state(role: Role, name: string): StepState | undefined {
    return (role === 'do' ? this.#steps : this.#undo).get(name);
  }

  /** The state of a step of `steps` or `finally`. */
  step(name: string): StepState | undefined {
    return this.#steps.get(name);
  }

  /** Writes a step's state down. The same object as before is no change; what has an outcome never changes it. */
  set(role: Role, step: StepSpec, state: StepState): void {
    const states = role === 'do' ? this.#steps : this.#undo;
    const before = states.get(step.name);
    const wasOpen = before?.outcome === undefined;
    if (before === state || (!wasOpen && before.outcome !== state.outcome)) return;
    states.set(step.name, this.#meets ? endedLongAgo(state) : state);
    this.#changed = true;
    if (wasOpen && state.outcome !== undefined) this.#decided(role, step, state);
  }

  #decided(role: Role, step: StepSpec, state: StepState): void {
    this.#decisions += 1;
    if (role === 'do') this.#tally(step, state);
  }

  get stopping(): Stopping | undefined {
    return this.#stopping;
  }

  stop(stopping: Stopping): void {
    this.#stopping = stopping;
    this.#changed = true;
  }

  get end(): RunEnd | undefined {
    return this.#end;
  }

  close(end: RunEnd): void {
    this.#end = end;
    this.#changed = true;
  }

  phase(name: string): PhaseTally {
    const known = this.#phases.get(name);
    if (known) return known;
    const tally: PhaseTally = { open: 0, bad: undefined };
    for (const step of this.graph.phases.get(name) ?? []) {
      const outcome = this.step(step.name)?.outcome;
      if (outcome === undefined) tally.open += 1;
      else if (!isOk(step, outcome)) tally.bad ??= step;
    }
    this.#phases.set(name, tally);
    return tally;
  }

  #tally(step: StepSpec, { outcome }: StepState): void {
    const tally = step.phase === undefined ? undefined : this.#phases.get(step.phase);
    if (!tally || outcome === undefined) return;
    tally.open -= 1;
    if (!isOk(step, outcome)) tally.bad ??= step;
  }

  /** `name`: what the action creates. Each is asked for once in a round. */
  start(name: string, action: RunAction): void {
    if (this.#started.has(name)) return;
    this.#started.add(name);
    this.actions.push(action);
    if (action.kind === 'createStepJob') this.#places -= 1;
  }

  /** Takes back what this round was to create. */
  unstart(name: string): void {
    if (!this.#started.delete(name)) return;
    const at = this.actions.findIndex((action) => creates(action) === name);
    const [taken] = at < 0 ? [] : this.actions.splice(at, 1);
    if (taken?.kind === 'createStepJob') this.#places += 1;
  }

  /** This round creates it. */
  starts(name: string): boolean {
    return this.#started.has(name);
  }

  /**
   * Whether one more may start. What exists already, since the process that created it died before it wrote that down, has
   * its slot: `name` is asked for only where there may be such a thing.
   */
  hasRoom(name: () => string): boolean {
    if (this.#meets) return this.isThere(name());
    if (this.strays > 0 && this.isThere(name())) return true;
    const { maxParallel } = this.observed.spec;
    return (maxParallel === undefined || this.slots < maxParallel) && this.#mayStartMore();
  }

  /** Whether the limits of the instance let one more Job start. */
  get hasPlace(): boolean {
    return this.#places > 0;
  }

  /** So many Jobs of the step would start, if the limits of the instance let them. */
  awaitPlace(step: StepSpec, jobs = 1): void {
    this.want(jobs);
    this.hold({ kind: 'place', step: step.name, message: this.observed.room?.shortage.message ?? '' });
  }

  #mayStartMore(): boolean {
    if (this.#starts < mostStarts) return true;
    this.wake(this.now + 1);
    return false;
  }

  /** Creates `name` and takes a slot for it. What is there already is not created, and has its slot if it needs one. */
  begin(name: string, action: RunAction): void {
    if (this.isThere(name)) return;
    this.slots += 1;
    this.#starts += 1;
    this.start(name, action);
  }

  /** When it was created, as far as the cache shows it. */
  createdAt(name: string): number | undefined {
    return (this.observed.jobs.get(name) ?? this.observed.children.get(name))?.createdAt;
  }

  /** The cache shows a Job, or the record of a sub-run, of this name. */
  isThere(name: string): boolean {
    return this.observed.jobs.has(name) || this.observed.children.has(name);
  }

  /** The attempt's Job or record has been there: somebody saw it, or the API server said so. */
  existed({ job, seen }: Attempt): boolean {
    return seen === true || this.observed.confirmed.has(job);
  }

  /** It has not ended: its outcome is not known yet, or a container of it still runs. */
  runs(name: string): boolean {
    const job = this.observed.jobs.get(name);
    if (job) return takesSlot(job);
    const child = this.observed.children.get(name);
    return child !== undefined && child.result === undefined;
  }

  /** Asks the API server itself about a Job, once in a round. */
  lookUp(step: StepSpec, jobName: string, because: string): void {
    this.hold({ kind: 'unclear', step: step.name, message: `${because}; it is being looked up` });
    this.start(`look up ${jobName}`, { kind: 'lookUp', reason: 'AnswerUnknown', because, step: step.name, jobName });
  }

  /** The same about the record of a sub-run. */
  lookUpSubRun(step: StepSpec, name: string): void {
    const because = `record "${name}" was there and is not shown any more`;
    this.hold({ kind: 'unclear', step: step.name, message: `${because}; it is being looked up` });
    this.start(`look up ${name}`, { kind: 'lookUpSubRun', reason: 'AnswerUnknown', because, name });
  }

  hold(hold: Hold): void {
    if (this.#meets && hold.kind === 'room') return;
    this.holds.set(`${hold.kind} ${hold.step}`, hold);
  }

  /** A step could start but for an output of another that has not ended. */
  awaitOutput(): void {
    this.#outputsAwaited += 1;
  }

  /**
   * Repeats a pass over the steps until another would not find anything else. One, in the order of the graph, is enough but
   * for two cases: a step failed in it without having started, which stops others that were looked at before; or one awaits
   * an output of a step that it does not depend on.
   */
  untilSettled(pass: () => void): void {
    for (;;) {
      const before = { stopping: this.#stopping, decisions: this.#decisions, awaited: this.#outputsAwaited };
      pass();
      if (this.#stopping === before.stopping && (this.#outputsAwaited === before.awaited || this.#decisions === before.decisions)) return;
    }
  }

  /** A living pod of a Job that is gone. */
  orphanOf(jobName: string): ObservedPod | undefined {
    this.#orphans ??= new Map(this.observed.orphans.filter(isAlive).map((pod) => [pod.jobName ?? '', pod]));
    return this.#orphans.get(jobName);
  }

  /** Somebody deleted a Job of that name, and a pod of it still does the work. */
  awaitsOrphan(step: StepSpec, jobName: string): boolean {
    const orphan = this.orphanOf(jobName);
    if (orphan) this.hold({ kind: 'pods', step: step.name, message: `Job "${jobName}" was deleted; its pod "${orphan.name}" still lives` });
    return orphan !== undefined;
  }

  job(name: string): ObservedJob | undefined {
    return this.observed.jobs.get(name);
  }

  /** The same object as before where nothing changed. */
  result(): RunState {
    if (!this.#changed) return this.observed.state;
    return {
      startedAt: this.observed.state.startedAt,
      steps: Object.fromEntries(this.#steps),
      undo: Object.fromEntries(this.#undo),
      ...(this.#stopping && { stopping: this.#stopping }),
      ...(this.#end && { end: this.#end }),
    };
  }
}

/** What is met with its outcome had it when the last of its Jobs ended, as far as there are any. */
function endedLongAgo(state: StepState): StepState {
  const { outcome, attempts = [], items = [] } = state;
  const ends = [...attempts, ...items.flatMap((item) => item.attempts)].map(({ endedAt = -Infinity }) => endedAt);
  const at = ends.reduce((last, end) => Math.max(last, end), -Infinity);
  return outcome === undefined || at === -Infinity ? state : { ...state, at };
}

function creates(action: RunAction): string | undefined {
  if (action.kind === 'createStepJob') return action.jobName;
  return action.kind === 'createSubRun' ? action.name : undefined;
}
