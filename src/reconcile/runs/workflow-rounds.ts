/** One round of a workflow: which of its runs start, wait or go. What happens inside a run is decided in the run's own rounds. */
import type { Clock } from '../../lib/clock.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import { earliest } from '../../plan/give-up.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { isOver } from '../../plan/run/summary.ts';
import { winnerOf } from '../../plan/winner.ts';
import type { WorkflowPlan } from '../../plan/workflow/action.ts';
import type { ObservedWorkflow } from '../../plan/workflow/observed.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { DeletionCalls } from '../deletion-calls.ts';
import { runKey, specText } from '../key.ts';
import type { Meter, RunMeter } from '../meter.ts';
import type { ClusterCache, EventSink, Log } from '../ports.ts';
import type { RecordCache } from '../record-ports.ts';
import { behindPause } from '../queue-rounds.ts';
import type { Rounds } from '../reconciler.ts';
import type { Reporter } from '../reporter.ts';
import type { TemplateChecker } from '../template-checker.ts';
import type { RoundResult } from '../work-queue.ts';
import { afterProblem, untilRecords } from './records-ready.ts';
import { askedRecords, type AskedRecords } from './request-key.ts';
import type { RunMemory } from './run-memory.ts';
import { executeWorkflow, type WorkflowExecuted, type WorkflowExecuteDeps } from './workflow-execute.ts';

/** How soon it is looked again whether the Run of a record is there: a watch that is silent says every minute how far it is. */
const unsurePause = 15_000;

export interface WorkflowRoundsDeps extends WorkflowExecuteDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly plan: (observed: ObservedWorkflow, environment: PlanEnvironment, now: number) => WorkflowPlan;
  readonly records: RecordCache;
  readonly cache: Pick<ClusterCache, 'keptUntil'>;
  readonly checker: TemplateChecker;
  readonly calls: DeletionCalls;
  readonly runs: Pick<RunMemory, 'asks'>;
  readonly capacity: Pick<Capacity, 'halt'>;
  readonly reporter: Reporter;
  readonly meter: Meter;
  readonly runMeter: RunMeter;
  readonly events: EventSink;
  readonly log: Log;
  /** Whether the message of that id is in hand for a Queue, or something is being asked about it. */
  readonly inHand: (queue: SpecKey, id: string) => boolean;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
}

export class WorkflowRounds implements Rounds {
  readonly #deps: WorkflowRoundsDeps;
  /** Since when this process looks after a workflow. */
  readonly #since = new Map<string, number>();
  /** The revision that this process saw last, and since when it has been another than the one before. */
  readonly #revisions = new Map<string, { readonly hash: string | undefined; readonly since: number | undefined }>();

  constructor(deps: WorkflowRoundsDeps) {
    this.#deps = deps;
  }

  async round(key: SpecKey): Promise<RoundResult> {
    const { clock, environment, records, recordNames, checker, calls, reporter } = this.#deps;
    const unread = untilRecords(records);
    if (unread !== undefined) return { kind: 'done', again: unread };
    if (!(await this.#isClear(key))) return { kind: 'failed' };
    if (!recordNames.caughtUp(key)) return { kind: 'done', again: behindPause };
    const { asked, unsure } = this.#asked(key);
    const observed = this.#observe(key, asked);
    const plan = this.#deps.plan(observed, environment, clock.now());
    checker.ask(key, plan.demands[0]);
    calls.ask(key, plan.calls ?? []);
    const executed = await executeWorkflow(this.#deps, observed, plan.actions);
    for (const one of executed) this.#tell(key, one);
    this.#count(observed, plan, executed);
    const unwritten = executed.some(({ kind }) => kind === 'waits') ? undefined : await reporter.statuses(key, observed.claims, plan.statuses);
    this.#wakeRuns(observed);
    this.#forgetIfOver(observed);
    const wake = plan.wakeAt === undefined ? undefined : Math.max(0, plan.wakeAt - clock.now());
    if (executed.some(({ kind }) => kind === 'failed')) return { kind: 'failed', again: wake };
    const refused = executed.some(({ kind }) => kind === 'waits') ? 0 : undefined;
    return { kind: 'done', again: earliest([wake, unwritten, refused, unsure ? unsurePause : undefined, afterProblem(observed.recordsUnknown)]) };
  }

  /** Another process led meanwhile: times that it used are in the records, those that nobody used are missed. */
  startAnew(): void {
    this.#since.clear();
    this.#revisions.clear();
  }

  /** Of a create without a clean answer the API server itself is asked whether the record is there, before anything else is started. */
  async #isClear(key: SpecKey): Promise<boolean> {
    const { recordNames, store, log } = this.#deps;
    for (const { jobName: name } of recordNames.reservations(key).filter(({ state }) => state === 'unknown')) {
      const read = await store.read(name);
      if (read.kind === 'failed') {
        log.warn({ spec: specText(key), code: 'AnswerUnknown', run: name, because: read.message }, 'whether a record was made is not known');
        return false;
      }
      if (read.kind === 'found') {
        recordNames.confirm(key, name, read.value.record.resourceVersion);
        recordNames.wrote(key, read.value.record.resourceVersion);
      } else {
        recordNames.release(key, name);
      }
    }
    return true;
  }

  #records(key: SpecKey): Pick<ObservedWorkflow, 'records' | 'keptBy'> {
    const found = this.#deps.records.of(key);
    const kept = found.flatMap((record): [string, number][] => {
      const until = this.#keptUntil(record);
      return until === undefined ? [] : [[record.name, until]];
    });
    return { records: found, ...(kept.length > 0 && { keptBy: new Map(kept) }) };
  }

  /** By what goes with the record: its Jobs, and its sub-runs with all of theirs. `above`: somebody may have edited one into its own ancestor. */
  #keptUntil({ name, uid }: ObservedRecord, above: readonly string[] = []): number | undefined {
    const { records, cache } = this.#deps;
    const children = records.childrenOf(uid).filter((child) => child.uid !== uid && !above.includes(child.uid));
    const below = children.flatMap((child) => [child.keepUntil, this.#keptUntil(child, [...above, uid])]);
    const all = [cache.keptUntil(runKey(name)), ...below].filter((until) => until !== undefined);
    return all.length === 0 ? undefined : Math.max(...all);
  }

  #observe(key: SpecKey, asked: ReadonlySet<string>): ObservedWorkflow {
    const { specs, records, recordNames, checker, clock } = this.#deps;
    const since = this.#since.get(specText(key)) ?? clock.now();
    this.#since.set(specText(key), since);
    const claims = specs.claims(key);
    const specSince = this.#specSince(key, claims[winnerOf(claims) ?? -1]?.parsed.hash);
    return {
      key,
      claims,
      ...(specSince !== undefined && { specSince }),
      ...this.#records(key),
      calls: this.#deps.calls.states(key),
      asked,
      awaited: this.#awaited(key),
      inHand: this.#inHand(key),
      recordsUnknown: records.problem,
      reservations: new Set(recordNames.reservations(key).map(({ jobName }) => jobName)),
      verdict: checker.verdict(key),
      refusal: recordNames.refusal(key),
      unread: specs.hasUnreadFiles,
      asks: this.#deps.runs.asks,
      since,
      halt: this.#halt(claims),
    };
  }

  /** By the text as it stands now: that is what would start. */
  #halt(claims: ObservedWorkflow['claims']): ObservedWorkflow['halt'] {
    const { spec } = claims[winnerOf(claims) ?? -1]?.parsed ?? {};
    return this.#deps.capacity.halt(isRunnable(spec) ? spec.concurrency.group : undefined);
  }

  /** Finished runs whose Run is still there, or may be. */
  #asked(key: SpecKey): AskedRecords {
    const { records, specs } = this.#deps;
    return askedRecords(specs, records.of(key).filter(({ phase }) => isOver(phase)));
  }

  /** Finished sub-runs of which the record of their parent, which is not over, does not say yet how they came out. */
  #awaited(key: SpecKey): ReadonlySet<string> {
    const { records, keeper } = this.#deps;
    const isAwaited = ({ name, phase, request }: ObservedRecord): boolean => {
      const parent = isOver(phase) && request?.parent ? records.get(request.parent.run) : undefined;
      return parent !== undefined && parent.uid === request?.parent?.uid && !parent.deleting && !isOver(parent.phase) && !keeper.hasOutcome(parent, name);
    };
    return new Set(records.of(key).filter(isAwaited).map(({ uid }) => uid));
  }

  #inHand(key: SpecKey): ReadonlySet<string> {
    const isInHand = ({ message, request }: ObservedRecord): boolean => message !== undefined && request?.queue !== undefined && this.#deps.inHand({ kind: 'queue', name: labelValue(request.queue) }, message.note.id);
    return new Set(this.#deps.records.of(key).filter(isInHand).map(({ uid }) => uid));
  }

  /** undefined: the revision was there when this process came. */
  #specSince(key: SpecKey, hash: string | undefined): number | undefined {
    const before = this.#revisions.get(specText(key));
    const since = before === undefined || before.hash === hash ? before?.since : this.#deps.clock.now();
    this.#revisions.set(specText(key), { hash, since });
    return since;
  }

  #tell(key: SpecKey, { action, kind, result, message, record }: WorkflowExecuted): void {
    const { meter, log } = this.#deps;
    meter.action(key, action.kind, action.reason, result);
    const fields = { spec: specText(key), action: action.kind, code: action.reason, run: record, result, because: message };
    if (kind === 'done') log.info(fields, 'changed the cluster');
    else log.warn(fields, 'a change did not come through');
  }

  #count({ key, claims, records }: ObservedWorkflow, plan: WorkflowPlan, executed: readonly WorkflowExecuted[]): void {
    const { runMeter, events, log } = this.#deps;
    // They come again with each plan until the run that overtakes them is there.
    const missed = executed.some(({ action, kind }) => action.kind === 'createRun' && kind === 'done') ? plan.missed : [];
    runMeter.active(key, records.filter(({ phase }) => phase !== 'Queued' && !isOver(phase)).length);
    const source = claims[winnerOf(claims) ?? -1]?.source;
    for (const { at, why } of missed) {
      const message = `the run scheduled for ${new Date(at).toISOString()} was not started: ${whys[why]}`;
      runMeter.missed(key, why);
      log.warn({ spec: specText(key), code: 'ScheduleMissed', why, because: message }, 'a scheduled run was missed');
      if (source?.kind === 'configMap') events.emit({ configMap: source, related: undefined, type: 'Warning', reason: 'ScheduleMissed', message });
    }
  }

  /** The runs of a workflow that nothing defines any more have to end. */
  #wakeRuns({ claims, records }: ObservedWorkflow): void {
    if (winnerOf(claims) !== undefined) return;
    for (const { name, phase } of records) if (phase !== 'Queued' && !isOver(phase)) this.#deps.changed(runKey(name));
  }

  #forgetIfOver({ key, claims, records, reservations }: ObservedWorkflow): void {
    if (claims.length > 0 || reservations.size > 0 || records.some(({ phase }) => !isOver(phase))) return;
    // Series and alerts of a deleted workflow must not stay for as long as its history is kept.
    this.#deps.meter.forget(key);
    this.#deps.runMeter.forget(key);
    if (records.length > 0) return;
    this.#since.delete(specText(key));
    this.#revisions.delete(specText(key));
    this.#deps.checker.forget(key);
    this.#deps.recordNames.forget(key);
    this.#deps.log.debug({ spec: specText(key) }, 'nothing left of this spec');
  }
}

const whys: Readonly<Record<WorkflowPlan['missed'][number]['why'], string>> = {
  down: 'nobody was there at that time',
  deadline: 'its startingDeadline had passed',
  forbidden: 'the run before it was not over, and concurrencyPolicy is Forbid',
};
