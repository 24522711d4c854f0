/**
 * One round of a run: its record's metadata and its Jobs from the caches, its content from memory, what to do from the
 * plan. A round waits neither for creates nor for the record to be written, so that an edge costs a round and a request.
 */
import type { Clock } from '../../lib/clock.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import { earliest } from '../../plan/give-up.ts';
import { isLive } from '../../plan/job-state.ts';
import type { ObservedJob, Reservation, SpecKey } from '../../plan/observed.ts';
import type { RunPlan } from '../../plan/run/action.ts';
import { approvalAsked, unusableApprovals } from '../../plan/run/asks.ts';
import { takesSlot } from '../../plan/run/fate.ts';
import type { ObservedRun } from '../../plan/run/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { RunEnd, RunState } from '../../plan/run/state.ts';
import { isOver } from '../../plan/run/summary.ts';
import { priorityOf } from '../../plan/limits/priority.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { Asker } from '../capacity/line.ts';
import type { Explainer } from '../explainer.ts';
import type { Memory } from '../memory.ts';
import type { RecordCache } from '../record-ports.ts';
import type { Rounds } from '../reconciler.ts';
import type { SpecIndex } from '../spec-index.ts';
import type { RoundResult } from '../work-queue.ts';
import { letGo } from './let-go.ts';
import { executeRun, type RunExecuteDeps, type RunInHand } from './run-execute.ts';
import { loadRun, type LoadDeps, type Loaded } from './run-load.ts';
import type { LoadedRun, RunMemory } from './run-memory.ts';
import type { RunReporter } from './run-reporter.ts';

export interface RunRoundsDeps extends RunExecuteDeps, LoadDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly plan: (observed: ObservedRun, environment: PlanEnvironment, now: number) => RunPlan;
  readonly records: RecordCache;
  readonly specs: SpecIndex;
  readonly explainer: Explainer;
  /** Names of Jobs that were asked for. */
  readonly memory: Memory;
  readonly runs: RunMemory;
  readonly capacity: Capacity;
  readonly reporter: RunReporter;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
  readonly onRound?: OnRound;
}

/** For whoever watches runs in this process: what each round decided, before it is carried out. Must not throw. */
export type OnRound = (record: ObservedRecord, plan: RunPlan) => void;

const nothing: RoundResult = { kind: 'done', again: undefined };
/** The record's watch asks for a round as soon as it has begun. */
const unsyncedPause = 5000;
/** The events of what goes ask for a round. */
const leftoversPause = 30_000;
/** What was created while a watch was away, and is gone when that is back, has no event. */
const unseenPause = 10_000;
/** Nothing tells of pods that are not in view. */
const namesakePause = 2000;
/** Between two rounds of a run with very many Jobs or sub-runs. */
const longestPause = 100;

export class RunRounds implements Rounds {
  readonly #deps: RunRoundsDeps;

  constructor(deps: RunRoundsDeps) {
    this.#deps = deps;
  }

  async round(key: SpecKey): Promise<RoundResult> {
    const { records, runs } = this.#deps;
    if (!records.synced) return { kind: 'done', again: unsyncedPause };
    const record = records.get(key.name);
    if (!record || record.deleting) {
      runs.gone(key.name);
      return this.#leave(key);
    }
    if (isOver(record.phase)) {
      this.#deps.keeper.over(record);
      if (!this.#hasStrays(key, record)) return this.#leave(key);
    }
    if (record.phase === 'Queued') return this.#queued(record);
    const run = runs.get(record);
    // It could not be read, and its end is on its way into the record.
    if (!run && this.#deps.keeper.isKept(record)) return nothing;
    return run ? this.#decide({ key, record, run }) : this.#load(key, record);
  }

  /** Its workflow's round admits it. One that is cancelled before has nothing to end. */
  #queued(record: ObservedRecord): RoundResult {
    const { cancel } = record.commands;
    if (cancel === undefined || this.#deps.keeper.isKept(record)) return nothing;
    this.#end(record, { startedAt: record.createdAt, steps: {}, undo: {} }, { outcome: 'cancelled', reason: 'RunCancelled', message: cancel });
    return nothing;
  }

  async #load(key: SpecKey, record: ObservedRecord): Promise<RoundResult> {
    const { keeper, runs, reporter, capacity } = this.#deps;
    // What it asked for before is asked for anew, once it can be read.
    capacity.forget(key);
    const loaded = await loadRun(this.#deps, record);
    switch (loaded.kind) {
      case 'failed':
        reporter.unread(record, loaded.message);
        return { kind: 'failed' };
      case 'absent':
        return nothing;
      case 'unreadable':
        if (!isOver(record.phase)) this.#giveUp(record, loaded);
        return nothing;
      case 'loaded':
        if (loaded.fresh && this.#hasLeftovers(key, record)) return { kind: 'done', again: leftoversPause };
        if (loaded.fresh && !(await this.#isClear(key))) return { kind: 'done', again: namesakePause };
        keeper.track({ ...record, resourceVersion: loaded.resourceVersion }, loaded.fresh ? undefined : loaded.run.state, record.phase);
        runs.put(record.name, loaded.run);
        if (loaded.fresh) reporter.started(record);
        return this.#decide({ key, record, run: loaded.run });
    }
  }

  /** Somebody deleted an earlier record of that name: its Jobs and pods are being collected, and may still do the same work. */
  #hasLeftovers(key: SpecKey, { uid, ownerless }: ObservedRecord): boolean {
    const { cache } = this.#deps;
    const owner = ownerless === true ? undefined : uid;
    // What was asked for in its name may not be in view yet.
    const asked = [...this.#reservations(key).values()].includes('created');
    return asked || cache.orphans(key).length > 0 || cache.jobs(key).some((job) => job.ownerUid !== owner && isLive(job));
  }

  /** Under a name that this process saw go, the API server itself is asked: watches of what the record before left may be behind. */
  async #isClear({ kind, name }: SpecKey): Promise<boolean> {
    const { runs, jobs } = this.#deps;
    if (!runs.wasLost(name)) return true;
    const live = await jobs.live({ kind, name });
    if (live.kind !== 'found' || live.value.liveJobs.length + live.value.livePods.length > 0) return false;
    runs.isClear(name);
    return true;
  }

  /** The request of a process that died may arrive after the run's end: nobody waits for what it made. */
  #hasStrays(key: SpecKey, record: ObservedRecord): boolean {
    return this.#jobs(key, record).some((job) => takesSlot(job) && !job.deleting && job.recorded?.phase !== 'ending');
  }

  /** Not those of an earlier or later record of that name, which is in view for a while. */
  #jobs(key: SpecKey, { uid }: ObservedRecord): readonly ObservedJob[] {
    return this.#deps.cache.jobs(key).filter(({ ownerUid }) => ownerUid === undefined || ownerUid === uid);
  }

  /** Its Jobs that run go on to their end: who edits a record does not ask for work to be thrown away. */
  #giveUp(record: ObservedRecord, { state, message, resourceVersion }: Extract<Loaded, { kind: 'unreadable' }>): void {
    this.#end({ ...record, resourceVersion }, state, { outcome: 'failed', reason: 'RunUnreadable', message });
  }

  #end(record: ObservedRecord, state: RunState, end: Pick<RunEnd, 'outcome' | 'reason' | 'message'>): void {
    this.#deps.keeper.track(record, undefined, record.phase);
    this.#deps.keeper.keep(record.name, { ...state, end: state.end ?? { ...end, at: this.#deps.clock.now(), failedSteps: [] } }, false);
  }

  async #decide(inHand: RunInHand): Promise<RoundResult> {
    const { clock, keeper, explainer, reporter, onRound } = this.#deps;
    const { key, record, run } = inHand;
    const early = run.notBefore - clock.monotonic();
    if (early > 0) return { kind: 'done', again: early };
    this.#mend(inHand);
    const before = run.state;
    const { observed, plan } = this.#plan(inHand);
    run.state = plan.state;
    // Behind the creates, which go first where requests are limited.
    const executing = executeRun(this.#deps, inHand, plan.actions);
    keeper.keep(record.name, plan.state, record.commands.suspend);
    explainer.ask(key, plan.demands);
    reporter.decided(record, before, plan.state);
    this.#tellWait(inHand, plan);
    this.#ask(inHand);
    onRound?.(record, plan);
    const executed = await executing;
    reporter.executed(record, executed);
    const wake = earliest([plan.wakeAt === undefined ? undefined : Math.max(0, plan.wakeAt - clock.now()), this.#reservations(key).size > 0 ? unseenPause : undefined]);
    if (executed.some(({ kind }) => kind === 'failed')) return { kind: 'failed', again: wake };
    run.notBefore = clock.monotonic() + pauseAfter(observed);
    return { kind: 'done', again: executed.some(({ kind }) => kind === 'waits') ? 0 : wake };
  }

  /** For each reason once: a thousand runs may wait, and each place that gets free changes who has them. */
  #tellWait({ record, run }: RunInHand, { wants, reason, message }: RunPlan): void {
    if (wants === 0 || reason === 'WaitsForSteps' || run.told.has(reason)) return;
    run.told.add(reason);
    this.#deps.reporter.waits(record, reason, message);
  }

  /** What the run asks people for stands in the status of what it is a run of; an answer that is none is told once. */
  #ask({ record, run }: RunInHand): void {
    const { runs, reporter, changed } = this.#deps;
    const unusable = unusableApprovals(run.spec, record.commands);
    for (const why of unusable.filter((text) => !run.told.has(text))) {
      run.told.add(why);
      reporter.unusableApproval(record, why);
    }
    const asked = approvalAsked(record.name, run.spec, run.state);
    const text = asked === undefined ? undefined : [asked, ...unusable.slice(0, 1)].join('; ');
    if (runs.ask(record.name, text)) changed(record.target);
  }

  /** Somebody wrote into the record that its run is over, or took away what says how it came out. */
  #mend({ record, run }: RunInHand): void {
    const { labelled, resourceVersion } = record;
    const what = `label ${resourceVersion}`;
    if (labelled === undefined || run.told.has(what)) return;
    run.told.add(what);
    this.#deps.reporter.mislabelled(record, labelled);
    this.#deps.keeper.restore(record.name);
  }

  /** What it takes of the limits is taken before anybody else can look at them. */
  #plan(inHand: RunInHand): { readonly observed: ObservedRun; readonly plan: RunPlan } {
    const { capacity, environment, clock } = this.#deps;
    const asker = askerOf(inHand);
    const observed = { ...this.#observe(inHand), room: capacity.room(asker) };
    const plan = this.#deps.plan(observed, environment, clock.now());
    capacity.take(asker, plan.actions.flatMap((action) => (action.kind === 'createStepJob' ? [action.jobName] : [])), plan.wants);
    return { observed, plan };
  }

  #observe({ key, record, run }: RunInHand): ObservedRun {
    const { cache, explainer } = this.#deps;
    return {
      record,
      spec: run.spec,
      parameters: run.parameters,
      state: run.state,
      jobs: new Map(this.#jobs(key, record).map((job) => [job.name, job])),
      orphans: cache.orphans(key),
      reservations: this.#reservations(key),
      confirmed: run.confirmed,
      absent: run.absent,
      refusals: run.refusals,
      children: this.#children(record, run),
      earlier: run.earlier,
      specGone: this.#specGone(record, run),
      explanations: explainer.explanations(key),
    };
  }

  /** A name that something is asked about right now is as good as created: plans wait for the answer. */
  #reservations(key: SpecKey): ReadonlyMap<string, Reservation['state']> {
    const { memory, recordNames, tasks } = this.#deps;
    const states = new Map([...memory.reservations(key), ...recordNames.reservations(key)].map(({ jobName, state }) => [jobName, state]));
    for (const name of tasks.underWay(key)) states.set(name, 'created');
    return states;
  }

  #children(record: ObservedRecord, { spec }: LoadedRun): ObservedRun['children'] {
    const has = [...spec.steps, ...spec.finally].some(({ work }) => work.kind === 'subRun');
    if (!has) return none;
    return new Map(this.#deps.records.childrenOf(record.uid).map((child) => [child.name, child]));
  }

  /**
   * Of a run that git asked for. Work that somebody requested, or that another run waits for, was accepted and goes on. A
   * record that something living owns is collected with that.
   */
  #specGone(record: ObservedRecord, { spec }: LoadedRun): boolean {
    const { specs } = this.#deps;
    const trigger = record.request?.trigger;
    if (spec.onSpecDelete !== 'delete' || (trigger !== 'change' && trigger !== 'schedule') || specs.hasUnreadFiles) return false;
    return specs.claims(record.target).every(({ source }) => source.kind === 'configMap' && source.deleting);
  }

  async #leave(key: SpecKey): Promise<RoundResult> {
    this.#forget(key);
    return (await letGo(this.#deps, key)) ? nothing : { kind: 'failed' };
  }

  #forget(key: SpecKey): void {
    const { runs, keeper, memory, recordNames, explainer, capacity } = this.#deps;
    capacity.forget(key);
    runs.forget(key.name);
    keeper.forget(key.name);
    memory.forget(key);
    recordNames.forget(key);
    explainer.ask(key, []);
  }
}

/**
 * Milliseconds until the next round may look. A round costs time with each Job, pod and sub-run of the run, and so does each
 * of those with some six events: without a pause a thousand would cost six thousand rounds over all of them. Few wait for
 * nothing.
 */
function pauseAfter({ jobs, children }: ObservedRun): number {
  const parts = jobs.values().reduce((count, { pods }) => count + Math.max(pods.length, 1), children.size);
  return parts < 50 ? 0 : Math.min(parts / 20, longestPause);
}

function askerOf({ key, record, run }: RunInHand): Asker {
  const { kind, name } = record.target;
  return { key, group: run.spec.concurrency.group, priority: priorityOf(run.spec, record.request), holder: `${kind} ${name}` };
}

const none: ObservedRun['children'] = new Map();
