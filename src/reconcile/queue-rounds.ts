/** One round of a Queue, or of a document of no known kind: observe, plan, execute, report. Everything about Jobs is decided in plan. */
import type { Clock } from '../lib/clock.ts';
import { labelValue } from '../lib/label-value.ts';
import type { Plan } from '../plan/action.ts';
import type { PlanEnvironment } from '../plan/environment.ts';
import { earliest } from '../plan/give-up.ts';
import { isLive } from '../plan/job-state.ts';
import { priorityOf } from '../plan/limits/priority.ts';
import type { MessagesView } from '../plan/messages/observed.ts';
import type { Claim, Observed, SpecKey } from '../plan/observed.ts';
import { plan as decide } from '../plan/plan.ts';
import { winningClaim } from '../plan/winner.ts';
import type { MessageQueueSpec, QueueRunSpec, QueueSpec } from '../spec/queue.ts';
import type { Capacity } from './capacity/capacity.ts';
import type { Asker } from './capacity/line.ts';
import type { DeletionCalls } from './deletion-calls.ts';
import type { DepthReader } from './depth-reader.ts';
import { execute, type ExecuteDeps, type Executed } from './execute.ts';
import type { Explainer } from './explainer.ts';
import { specText } from './key.ts';
import type { Messages } from './messages/messages.ts';
import type { Meter } from './meter.ts';
import type { ClusterCache, Log } from './ports.ts';
import type { Rounds } from './reconciler.ts';
import type { RecordCache } from './record-ports.ts';
import type { Reporter } from './reporter.ts';
import { afterProblem, untilRecords } from './runs/records-ready.ts';
import type { SpecIndex } from './spec-index.ts';
import type { TargetWaits } from './target-waits.ts';
import type { TemplateChecker } from './template-checker.ts';
import type { RoundResult } from './work-queue.ts';

/** A key whose cache is behind its last write is looked at again by the event of that write, or after this time. */
export const behindPause = 1000;

/** Planning for thousands of messages takes its time: creates and settlements are to have most of the processor. */
const restPerPlanning = 3;
const shortestPlanning = 2;

export interface QueueRoundsDeps extends ExecuteDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly cache: ClusterCache;
  readonly specs: SpecIndex;
  readonly records: RecordCache;
  readonly targets: TargetWaits;
  readonly depths: DepthReader;
  readonly checker: TemplateChecker;
  readonly explainer: Explainer;
  readonly calls: DeletionCalls;
  readonly capacity: Capacity;
  readonly messages: Messages;
  readonly reporter: Reporter;
  readonly meter: Meter;
  readonly log: Log;
}

export class QueueRounds implements Rounds {
  readonly #deps: QueueRoundsDeps;

  constructor(deps: QueueRoundsDeps) {
    this.#deps = deps;
  }

  async round(key: SpecKey): Promise<RoundResult> {
    const { memory, reporter, clock } = this.#deps;
    const unread = this.#untilRecords(key);
    if (unread !== undefined) return { kind: 'done', again: unread };
    if (!memory.caughtUp(key)) return { kind: 'done', again: behindPause };
    const began = clock.monotonic();
    const { observed, plan } = this.#plan(key);
    const planned = clock.monotonic();
    this.#ask(key, plan);
    const executed = await this.#execute(key, plan);
    const unwritten = await reporter.report(observed, plan, executed);
    this.#forgetIfOver(observed);
    const wake = plan.wakeAt === undefined ? undefined : plan.wakeAt - clock.now();
    if (executed.some((one) => one.kind === 'failed')) return { kind: 'failed', again: wake };
    // What was refused is in memory now: the next round says so and waits.
    const refused = executed.some((one) => one.kind === 'waits') ? 0 : undefined;
    return { kind: 'done', again: earliest([wake, unwritten, refused, afterProblem(observed.messages?.recordsUnknown)]), rest: restAfter(planned - began) - (clock.monotonic() - planned) };
  }

  /** A moment after the start nobody knows which messages have runs; without records nothing is known to wait for. */
  #untilRecords(key: SpecKey): number | undefined {
    const { specs, records } = this.#deps;
    return key.kind === 'queue' && leasing(queueSpecOf(specs.claims(key))) ? untilRecords(records) : undefined;
  }

  /** What it takes of the limits is taken before anybody else can look at them. */
  #plan(key: SpecKey): { readonly observed: Observed; readonly plan: Plan } {
    const { capacity, specs, environment, clock, messages } = this.#deps;
    const claims = specs.claims(key);
    if (key.kind !== 'queue') {
      const observed = this.#observe(key, claims);
      return { observed, plan: decide(observed, environment, clock.now()) };
    }
    const spec = queueSpecOf(claims);
    const asker = askerOf(key, spec);
    const seen = this.#observe(key, claims);
    const source = leasing(spec)?.source;
    const target = this.#target(key, leasing(spec)?.run);
    const view = messages.view(key, seen.jobs, source !== undefined);
    const observed = { ...seen, room: capacity.room(asker), ...(view && { messages: { ...view, ...target } }) };
    const plan = decide(observed, environment, clock.now());
    capacity.take(asker, startsOf(key, plan), plan.wants);
    messages.carryOut(key, plan, { jobs: observed.jobs, source });
    messages.remember(observed);
    return { observed, plan };
  }

  /** What its messages start runs of; a change of that brings the next round. */
  #target(key: SpecKey, run: QueueRunSpec | undefined): Pick<MessagesView, 'target' | 'targetVerdict' | 'recordsUnknown'> {
    const { specs, records, targets, checker } = this.#deps;
    const target = run && { kind: run.target.kind, name: labelValue(run.target.name) };
    targets.await(key, target);
    return target ? { target: winningClaim(specs.claims(target))?.claim.parsed, targetVerdict: checker.verdict(target) ?? 'unasked', recordsUnknown: records.problem } : {};
  }

  async #execute(key: SpecKey, plan: Plan): Promise<readonly Executed[]> {
    try {
      return await execute(this.#deps, key, plan.actions);
    } finally {
      this.#deps.capacity.settled(specText(key));
    }
  }

  #observe(key: SpecKey, claims: readonly Claim[]): Observed {
    const { specs, cache, memory, depths, checker, explainer, calls } = this.#deps;
    return {
      key,
      claims,
      jobs: cache.jobs(key),
      orphans: cache.orphans(key),
      reservations: memory.reservations(key),
      depth: depths.reading(key),
      verdict: checker.verdict(key),
      refusal: memory.refusal(key),
      unread: specs.hasUnreadFiles,
      vanished: memory.vanished(key),
      calls: calls.states(key),
      explanations: explainer.explanations(key),
    };
  }

  #ask(key: SpecKey, plan: Plan): void {
    const { depths, checker, explainer, calls } = this.#deps;
    depths.ask(key, plan.demands.find((demand) => demand.kind === 'depth'));
    checker.ask(key, plan.demands.find((demand) => demand.kind === 'verdict'));
    explainer.ask(key, plan.demands.filter((demand) => demand.kind === 'explanation'));
    calls.ask(key, plan.demands.filter((demand) => demand.kind === 'call'));
  }

  #forgetIfOver({ key, claims, jobs, orphans, reservations, messages }: Observed): void {
    const gone = claims.length + orphans.length + reservations.length === 0;
    // Series and alerts of a deleted spec must not stay for as long as its finished Jobs are kept.
    if (gone && !jobs.some(isLive)) {
      this.#deps.meter.forget(key);
      this.#deps.messages.forgetSeries(key);
    }
    if (!gone || jobs.length > 0 || messages?.runs?.some(({ message }) => message && !message.settled) === true) return;
    this.#deps.messages.forget(key);
    this.#deps.targets.await(key, undefined);
    this.#deps.capacity.forget(key);
    this.#deps.depths.forget(key);
    this.#deps.checker.forget(key);
    this.#deps.memory.forget(key);
    this.#deps.log.debug({ spec: specText(key) }, 'nothing left of this spec');
  }
}

function restAfter(planning: number): number {
  return planning < shortestPlanning ? 0 : restPerPlanning * planning;
}

/** undefined: there is none, or nobody can read it. */
function queueSpecOf(claims: readonly Claim[]): QueueSpec | undefined {
  const spec = winningClaim(claims)?.claim.parsed.spec;
  return spec?.kind === 'Queue' ? spec : undefined;
}

/** undefined: it takes no messages. */
function leasing(spec: QueueSpec | undefined): MessageQueueSpec | undefined {
  return spec && spec.mode !== 'drain' ? spec : undefined;
}

/** Names that take a place from now on; that of a drain Job is not known yet. */
function startsOf(key: SpecKey, { actions, messages = [] }: Plan): readonly string[] {
  const started = messages.flatMap((action) => (action.kind === 'startMessage' || action.kind === 'startBatch' ? [action.jobName] : []));
  return actions.some(({ kind }) => kind === 'create') ? [specText(key), ...started] : started;
}

/** Without a spec that can be read nothing is asked for. */
function askerOf(key: SpecKey, spec: QueueSpec | undefined): Asker {
  return { key, group: spec?.concurrency.group, priority: spec ? priorityOf(spec) : 0, holder: `queue ${key.name}` };
}
